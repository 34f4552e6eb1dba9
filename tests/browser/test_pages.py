"""The pages, in a real browser over the real stack."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from playwright.sync_api import Dialog, Error, Locator, Page, Request, Route, expect

from tests.browser.conftest import SECONDS, Visit
from tests.builders import make_user
from tests.stack import Stack
from tests.videos.clips import make_clip
from videos.models import Chunk, Upload, Video

pytestmark = [pytest.mark.stack, pytest.mark.browser]

Begin = Callable[[str], Visit]

LANES = 3  # chunks that a page sends at once
CHUNK = re.compile(r"/api/videos/uploads/[0-9a-f-]+/chunks/(\d+)/$")
# Writes down every figure that a progress bar below an element shows from now on.
RECORD = """element => {
  window.seen = [];
  const look = () => {
    const bar = element.querySelector('.card:first-child progress[value]');
    if (bar && seen.at(-1) !== bar.value) seen.push(bar.value);
  };
  new MutationObserver(look).observe(element, {subtree: true, childList: true, attributes: true});
}"""


def make_noisy_clip(path: Path) -> Path:
    """Ten seconds of 1280x720 that compress badly: many chunks, and some seconds of work on any machine."""
    picture = "testsrc2=size=1280x720:rate=30:duration=10,noise=alls=24:allf=t"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture]
    argv += ["-f", "lavfi", "-i", "sine=frequency=330:duration=10", "-c:v", "libx264", "-preset", "ultrafast"]
    argv += ["-b:v", "4M", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def make_noise(path: Path, *, chunks: int) -> Path:
    path.write_bytes(random.Random(7).randbytes(chunks * settings.JOINTO_VIDEOS.chunk_bytes))
    return path


def index_of(url: str) -> int | None:
    """The index of the chunk that a URL is for."""
    found = CHUNK.search(urlsplit(url).path)
    return int(found.group(1)) if found else None


class Line:
    """The line to the server: lets so many chunks through, and leaves the others hanging."""

    def __init__(self, page: Page, *, chunks: int) -> None:
        self._page = page
        self._left = chunks
        self.held: list[Route] = []
        page.route(CHUNK, self._on_chunk)

    def _on_chunk(self, route: Route) -> None:
        if self._left:
            self._left -= 1
            route.continue_()
        else:
            self.held.append(route)

    def repair(self) -> None:
        """To be called once nobody waits for what hangs any more."""
        self._page.unroute(CHUNK, self._on_chunk)
        for route in self.held:
            with contextlib.suppress(Error):  # the page has given it up already
                route.abort()


class LossyLine:
    """A line that loses the first chunks: to nobody, to a busy proxy, to a token that has expired meanwhile."""

    EXPIRED = {"error": {"code": "upload_token_expired", "message": "The upload token has expired."}}

    def __init__(self, page: Page) -> None:
        self.lost: set[str] = set()
        page.route(CHUNK, self._on_chunk)

    def _on_chunk(self, route: Route) -> None:
        url = route.request.url
        if url in self.lost or len(self.lost) == 6:
            route.continue_()
            return
        self.lost.add(url)
        match len(self.lost):
            case 1 | 4:
                route.abort()
            case 2 | 5:
                route.fulfill(status=503, body="busy")
            case _:
                route.fulfill(status=401, json=self.EXPIRED)


class Sent:
    """The chunks that a page sends from now on."""

    def __init__(self, page: Page) -> None:
        self.indices: list[int] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        index = index_of(request.url) if request.method == "PUT" else None
        if index is not None:
            self.indices.append(index)


def drop(page: Page, *files: Path) -> None:
    page.locator("#files").set_input_files(files)


def card(page: Page, title: str) -> Locator:
    return page.locator(".card", has_text=title)


def colour_of(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def wait_in(page: Page, condition: Callable[[], object], *, what: str) -> None:
    """Wait for something outside of the page while its events go on."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"waited in vain for {what}; the page says: {page.locator('body').inner_text()}")


def test_an_upload_goes_on_after_a_reload_and_its_video_plays(stack: Stack, visit: Begin, tmp_path: Path) -> None:
    make_user("ann")
    clip = make_noisy_clip(tmp_path / "harbour at dusk.mp4")
    stack.worker(DJANGO_ALLOW_ASYNC_UNSAFE="", JOINTO_FFMPEG_THREADS="1")
    ann = visit("ann")
    page = ann.page

    # Some chunks arrive, then the line hangs, and the page is loaded again.
    line = Line(page, chunks=10)
    drop(page, clip)
    row = page.locator(".upload")
    expect(row).to_contain_text("harbour at dusk.mp4")
    wait_in(page, lambda: Chunk.objects.count() == 10 and line.held, what="ten chunks")
    wait_in(page, lambda: Upload.objects.get().file_hash, what="the checksum, which the page computes meanwhile")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.locator("body").click(position={"x": 5, "y": 500})  # a page that nobody has touched may not ask
    page.reload()
    assert asked == ["beforeunload"]
    line.repair()
    upload = Upload.objects.get()
    assert upload.file_hash == f"sha256:{hashlib.sha256(clip.read_bytes()).hexdigest()}"  # told by the browser
    there = set(upload.chunks.values_list("index", flat=True))

    # The page remembers it, and the same file is taken up where it was.
    expect(row).to_contain_text("Choose the same file again")
    page.screenshot(path=tmp_path / "unfinished.png")
    sent = Sent(page)
    page.locator("#cards").evaluate(RECORD)
    with page.expect_file_chooser() as chooser:
        row.get_by_role("button", name="Choose file").click()
    chooser.value.set_files(make_noise(tmp_path / "another.mp4", chunks=1))
    expect(page.locator(".toast")).to_contain_text("That is another file.")
    with page.expect_file_chooser() as chooser:
        row.get_by_role("button", name="Choose file").click()
    chooser.value.set_files(clip)
    tile = card(page, "harbour at dusk")
    expect(tile).to_be_visible()
    assert sorted(sent.indices) == sorted(set(range(upload.chunks_total)) - there)
    expect(row).to_have_count(0)

    # Progress moves, until the video is there.
    expect(tile.locator("progress[value]")).to_be_visible()
    page.screenshot(path=tmp_path / "processing.png")
    expect(tile.locator(".badge")).to_have_text("Ready", timeout=60 * SECONDS)
    seen = page.evaluate("window.seen")
    assert len(seen) >= 3 and seen == sorted(seen), seen
    expect(tile.locator("img")).to_be_visible()

    # It plays, in the size that is chosen; which is not offered before a piece of it has come.
    pieces: list[Route] = []
    page.route("**/*.m4s", lambda route: pieces.append(route))
    tile.get_by_role("link").click()
    video = page.locator("video")
    expect(video).to_be_visible()
    wait_in(page, lambda: bool(pieces), what="a piece to be asked for")
    expect(page.get_by_label("Quality")).to_be_hidden()
    page.unroute("**/*.m4s")  # which lets go of those too
    page.get_by_label("Quality").select_option(label="360p")
    video.evaluate("video => { video.muted = true; video.play() }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    page.wait_for_function("() => document.querySelector('video').videoHeight === 360")
    assert video.evaluate("video => video.videoWidth") == 640
    page.screenshot(path=tmp_path / "playing.png")

    # What the user has already is there at once, under whatever name it comes.
    page.get_by_role("link", name="Library").click()
    again = tmp_path / "copy of harbour.mp4"
    again.write_bytes(clip.read_bytes())
    drop(page, again)
    expect(row).to_have_count(1)
    expect(row).to_have_count(0)
    wait_in(page, lambda: Upload.objects.count() == 1, what="what was sent of it to be given up")
    assert Video.objects.count() == 1
    expect(page.locator(".card")).to_have_count(1)
    ann.check()


def test_a_file_that_is_no_video_tells_why_and_its_name_stays_text(stack: Stack, visit: Begin, tmp_path: Path) -> None:
    make_user("ann")
    title = """<img src=x onerror="window.hacked = 1">"""
    file = tmp_path / f"{title}.mp4"
    file.write_text("This is a letter, not a film.\n" * 20)
    stack.worker(DJANGO_ALLOW_ASYNC_UNSAFE="")
    ann = visit("ann")
    page = ann.page
    drop(page, file)
    tile = page.locator(".card")
    expect(tile.locator(".card-title")).to_have_text(title)
    expect(tile.locator(".badge")).to_have_text("Failed")
    expect(tile).to_contain_text("This is not a video or sound file that can be read here.")
    page.screenshot(path=tmp_path / "failed.png")

    # The same on its own page, where it is deleted; undo is offered where that leads.
    tile.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator(".stage-end")).to_contain_text("This is not a video")
    page.screenshot(path=tmp_path / "failed-page.png")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text(f"“{title}” was deleted.")
    expect(tile).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tile.locator(".card-title")).to_have_text(title)

    # Deleted and restored in the library too; what was restored is there after a reload.
    tile.get_by_role("button", name="Delete").click()
    expect(tile).to_have_count(0)
    assert Video.objects.get().deleted_at
    page.get_by_role("button", name="Undo").click()
    expect(tile).to_have_count(1)
    page.reload()
    expect(tile.locator(".card-title")).to_have_text(title)
    assert page.evaluate("window.hacked") is None

    # The API's own pages ask nobody else either.
    page.get_by_role("link", name="API").click()
    expect(page.locator(".opblock").first).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png")
    page.goto(ann.address)
    ann.check()

    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{ann.address}/videos/999999/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    page.screenshot(path=tmp_path / "nothing.png")
    with page.expect_response("**/api/jobs/events/"):
        page.goto(ann.address)

    # A session that has ended leads to the sign-in page.
    ann.context.clear_cookies()
    tile.get_by_role("button", name="Delete").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.screenshot(path=tmp_path / "sign-in.png")


def test_an_upload_bears_a_bad_line_and_can_be_paused_and_given_up(stack: Stack, visit: Begin, tmp_path: Path) -> None:
    make_user("ann")
    ann = visit("ann")
    page = ann.page
    row = page.locator(".upload")

    # Given up: nothing of it stays on the server.
    line = Line(page, chunks=3)
    drop(page, make_noise(tmp_path / "unwanted.mp4", chunks=8))
    wait_in(page, lambda: Chunk.objects.count() == 3 and line.held, what="three chunks")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)
    wait_in(page, lambda: not Upload.objects.exists(), what="the upload to go")
    line.repair()

    # Paused, with the next file waiting; then resumed, over a line that loses some chunks.
    line = Line(page, chunks=3)
    clip = make_clip(tmp_path / "market.mp4", seconds=3, size="1280x720")
    drop(page, clip)
    wait_in(page, lambda: Chunk.objects.count() == 3 and line.held, what="three chunks")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    page.screenshot(path=tmp_path / "paused.png")
    line.repair()
    lost = LossyLine(page)
    row.get_by_role("button", name="Resume").click()
    tile = card(page, "market")
    expect(tile).to_contain_text("Waiting for a worker", timeout=40 * SECONDS)
    assert len(lost.lost) == 6
    ann.errors.clear()  # the browser itself writes down every chunk that was lost

    # Its job can be cancelled and tried again.
    tile.get_by_role("button", name="Cancel").click()
    expect(tile.locator(".badge")).to_have_text("Cancelled")
    tile.get_by_role("button", name="Try again").click()
    expect(tile).to_contain_text("Waiting for a worker")

    # Its own page shows the work as soon as there is somebody to do it, and then the player; then it is renamed.
    tile.get_by_role("link").click()
    expect(page.locator(".stage-work")).to_contain_text("Waiting for a worker")
    page.screenshot(path=tmp_path / "waiting.png")
    stack.worker(DJANGO_ALLOW_ASYNC_UNSAFE="")
    expect(page.locator("video")).to_be_visible(timeout=40 * SECONDS)
    expect(page.get_by_label("Quality").locator("option").first).to_have_text("Auto (720p)")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title").fill("The market at noon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The market at noon")
    assert Video.objects.get().title == "The market at noon"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download: 360p").click()
    assert download.value.suggested_filename == "The market at noon 360p.mp4"

    # By day and by night, and on a telephone.
    light = colour_of(page)
    page.screenshot(path=tmp_path / "light.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    assert colour_of(page) != light
    page.screenshot(path=tmp_path / "dark.png", full_page=True)
    page.get_by_role("link", name="Library").click()
    expect(tile.locator(".duration")).to_have_text("0:03")
    page.screenshot(path=tmp_path / "dark-library.png")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "telephone.png", full_page=True)
    ann.check()


def test_an_upload_outlives_the_session_that_began_it(stack: Stack, visit: Begin, tmp_path: Path) -> None:
    make_user("ann")
    ann = visit("ann")
    page = ann.page
    line = Line(page, chunks=3)
    drop(page, make_noise(tmp_path / "long.mp4", chunks=8))
    # All lanes: a request that is on its way to being held while the line is repaired would be lost to both.
    wait_in(page, lambda: Chunk.objects.count() == 3 and len(line.held) == LANES, what="three chunks")
    wait_in(page, lambda: Upload.objects.get().file_hash, what="the checksum, which the page computes meanwhile")
    Session.objects.all().delete()
    line.repair()
    wait_in(page, lambda: Video.objects.filter(title="long", job__isnull=False).exists(), what="the merge")
