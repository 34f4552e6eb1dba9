"""Drafts become films: with their media from the archive, the owner's videos, the network; or slates in their place."""

from __future__ import annotations

import http.server
import io
import json
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from jobs import transitions
from jobs.context import JobContext
from jobs.models import Job
from jobs.task import JobTask
from jobs.testing import Clock, run
from tests.builders import claim, make_user
from tests.files import files_under
from tests.servers.scripted import saying, serving
from tests.videos.drafts.parcels import PLACEHOLDER, packed, reel, say, send
from tests.videos.test_cleanup import NOTHING, age, clean_up
from tests.videos.test_serving import ask
from tests.videos.test_thumbnails import make_uploaded
from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment
from videos import storage, tasks
from videos.drafts import rendering
from videos.drafts.errors import DraftGone
from videos.models import Draft

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

KIND: JobTask = tasks.render_draft
SIZE = (160, 90)
COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255), "grey": (43, 43, 43)}


def colour(path: Path, name: str) -> Path:
    """A second of one colour, with a tone."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"color={name}:s=160x90:r=10:d=1"]
    argv += ["-f", "lavfi", "-i", "sine=duration=1", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    subprocess.run([*argv, "-c:a", "aac", str(path)], check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {name: colour(folder / f"{name}.mp4", name) for name in ("red", "blue")}


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests may be reached."""
    said = vars(settings.JOINTO_JOBS) | {"inner_hosts": ("127.0.0.1",)}
    monkeypatch.setattr(settings, "JOINTO_JOBS", type(settings.JOINTO_JOBS)(**said))


@contextmanager
def giving(files: dict[str, bytes]) -> Iterator[str]:
    """A server with these files, by their paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = files.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def done(answer: Any, status: str = "completed") -> tuple[Job, Draft]:
    """The job of an answer, run once, and its draft."""
    assert answer.status_code == 202, answer.content
    job = run(answer.json()["job"]["id"])
    assert job.status == status, (job.error_code, job.error_message)
    return job, Draft.objects.get(job=job)


def shown(draft: Draft) -> list[str]:
    """The colours of the film's frames: at a corner, each once in a row."""
    found: list[str] = []
    for frame in frames(draft):
        corner = frame[4:12, 4:12].reshape(-1, 3).mean(axis=0)
        name = min(COLOURS, key=lambda name: float(np.abs(corner - COLOURS[name]).sum()))
        found += [name] if not found or found[-1] != name else []
    return found


def frames(draft: Draft) -> Any:
    """Every frame of the film, as red, green and blue."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(storage.path_of(draft.file))]
    data = subprocess.run([*argv, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def test_the_kind_is_as_the_contract_has_it() -> None:
    policy = KIND.policy
    assert (KIND.job_queue, KIND.at_once, KIND.soft_time_limit, KIND.time_limit) == ("export", 5, 3300, 3600)
    assert [policy.wait_seconds(retry) for retry in (1, 2, 3)] == [1, 2, 4]
    assert policy.retries == 3


def test_an_archive_with_its_media_becomes_a_film(api: APIClient, clips: dict[str, Path]) -> None:
    draft = reel(f"{PLACEHOLDER}/media/one.mp4", r"D:\films\two.mp4")
    answer = send(api, packed(draft, folder="Ferien/", media__one_mp4=clips["red"], two_mp4=clips["blue"]))
    job, row = done(answer)
    assert shown(row) == ["red", "blue"]
    assert job.result == {
        "video_url": f"/media/drafts/{row.pk}/{job.pk}.mp4",
        "duration": row.duration,
        "file_size": storage.path_of(row.file).stat().st_size,
        "draft_id": row.pk,
        "report": [],
    }
    assert row.duration == pytest.approx(2, abs=0.1)
    assert not files_under(settings.SCRATCH_DIR)
    said = api.get(f"/api/drafts/{row.pk}/").json()
    assert (said["status"], said["video_url"]) == ("ready", job.result["video_url"])


def test_videos_of_the_owners_stand_for_media(api: APIClient, ann: User, clips: dict[str, Path]) -> None:
    mapping = {"one.mp4": make_uploaded(clips["blue"], owner=ann).pk}
    _, row = done(say(api, draft=reel("C:/x/one.mp4"), mapping=mapping, quality="low"))
    assert shown(row) == ["blue"]


@pytest.mark.usefixtures("inner")
def test_a_draft_and_its_media_are_fetched(api: APIClient, clips: dict[str, Path]) -> None:
    files = {"/m/a.mp4?x=1": clips["red"].read_bytes()}
    with giving(files) as address:
        files["/draft/77"] = json.dumps(reel(f"{address}/m/a.mp4?x=1")).encode()
        files["/78.zip"] = packed(reel("C:/x/b.mp4"), b_mp4=clips["blue"])
        _, row = done(say(api, draft_url=f"{address}/draft/77"))
        assert (shown(row), row.draft_id, row.name, row.source) == (["red"], "77", "Ferien", "")
        _, row = done(say(api, draft_url=f"{address}/78.zip"))
        assert (shown(row), row.draft_id) == (["blue"], "D-1")


@pytest.mark.usefixtures("inner")
def test_what_is_nowhere_else_is_fetched_from_the_address_beside_its_path(
    api: APIClient, clips: dict[str, Path]
) -> None:
    with giving({"/red": clips["red"].read_bytes(), "/blue": clips["blue"].read_bytes()}) as address:
        said = [("C:/x/a.mp4", f"{address}/red"), ("C:/x/b.mp4", f"{address}/gone"), ("", f"{address}/red")]
        said += [("C:/x/c.mp4", "file:///etc/passwd"), ("C:/x/d.mp4", "")]
        paper = Paper(canvas_config={"width": 160, "height": 90}, fps=10.0)
        made = [paper.video(path, remote_url=url) for path, url in said]
        paper.track("video", *(segment(one, n * SECOND, SECOND) for n, one in enumerate(made)))
        _, row = done(send(api, packed(paper.document(), b_mp4=clips["blue"]), on_missing="slate"))
    assert shown(row) == ["red", "blue", "red", "grey"]
    assert [one["file_name"] for one in row.missing] == ["c.mp4", "d.mp4"]


def test_slates_stand_for_what_is_missing_and_silence_for_sounds(api: APIClient, clips: dict[str, Path]) -> None:
    paper = Paper(canvas_config={"width": 160, "height": 90}, fps=10.0)
    paths = ("C:/x/100%:'gone'.mp4", "one.mp4", "C:/x/damaged.mp4")
    paper.track("video", *(segment(paper.video(path), n * SECOND, SECOND) for n, path in enumerate(paths)))
    paper.track("audio", segment(paper.sound("C:/x/gone.mp3"), 0, 4 * SECOND))
    data = packed(paper.document(), one_mp4=clips["red"], damaged_mp4=b"no video")
    job, row = done(send(api, data, on_missing="slate"))
    assert shown(row)[:3] == ["grey", "red", "grey"]
    assert frames(row)[0][30:60].max() > 200, "its name is written on the slate"
    assert row.duration == pytest.approx(4, abs=0.1), "the missing sound has its time"
    reasons = {one["file_name"]: one["reason"] for one in row.missing}
    assert reasons == {"100%:'gone'.mp4": "not_found", "damaged.mp4": "not_a_video", "gone.mp3": "not_found"}
    assert job.result and {one["code"] for one in job.result["report"]} == {"media_missing"}


def test_pictures_that_do_not_move_are_shown(api: APIClient) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "blue").save(picture, "JPEG")
    paper = Paper(canvas_config={"width": 160, "height": 90}, fps=10.0)
    paper.track(
        "video",
        segment(paper.photo("C:/x/a.jpg"), 0, SECOND, clip={"scale": {"x": 2, "y": 2}}),
        segment(paper.photo("C:/x/b.jpg"), SECOND, SECOND),
    )
    data = packed(paper.document(), a_jpg=picture.getvalue(), b_jpg=b"no picture")
    _, row = done(send(api, data, on_missing="slate"))
    assert shown(row) == ["blue", "grey"]
    assert [one["reason"] for one in row.missing] == ["not_a_still"]


def test_media_that_turn_out_to_be_of_no_use_are_listed_in_the_draft(api: APIClient, clips: dict[str, Path]) -> None:
    job, row = done(send(api, packed(reel("a.mp4", "b.mp4"), a_mp4=clips["red"], b_mp4=b"no video")), "failed")
    assert (job.error_code, job.attempt) == ("draft_media_missing", 1)
    assert "b.mp4" in job.error_message
    assert [one["reason"] for one in row.missing] == ["not_a_video"]
    assert not files_under(settings.SCRATCH_DIR, Path(settings.MEDIA_ROOT) / "drafts" / str(row.pk))


@pytest.mark.usefixtures("inner")
@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"<html>", "draft_invalid"),
        (b"QUJD" * 20, "draft_encrypted"),
        (packed(reel("C:/gone.mp4")), "draft_media_missing"),
        (None, "outbound_rejected"),
    ],
)
def test_what_an_address_gives_is_looked_at_in_the_job(api: APIClient, body: bytes | None, word: str) -> None:
    with giving({} if body is None else {"/1.json": body}) as address:
        job, _ = done(say(api, draft_url=f"{address}/1.json"), "failed")
    assert (job.error_code, job.attempt) == (word, 1), "it would be the same again"


@pytest.mark.usefixtures("inner")
def test_of_the_network_alone_is_it_tried_again(api: APIClient, clips: dict[str, Path]) -> None:
    with serving(saying(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")) as server:
        job, row = done(say(api, draft_url=f"{server.url}/1.json"), "retrying")
        assert (job.error_code, job.error_message[-1]) == ("draft_unreachable", ".")
        for _ in range(3):
            Clock().turn(timedelta(seconds=5))
            job = run(job)
        assert (job.status, job.attempt, server.connections) == ("failed", 4, 4)
        answer = say(api, draft=reel(f"{server.url}/a.mp4"), on_missing="slate")
        assert done(answer, "retrying")[0].error_code == "draft_unreachable"
    with giving({}) as address:
        _, row = done(say(api, draft=reel(f"{address}/a.mp4"), on_missing="slate"))
    assert (row.missing[0]["reason"], shown(row)) == ("outbound_rejected", ["grey"])


def test_an_address_that_leads_inward_is_not_fetched(api: APIClient) -> None:
    with giving({"/a.mp4": b"x"}) as address:
        job, row = done(say(api, draft=reel(f"{address}/a.mp4")), "failed")
    assert (job.error_code, row.missing[0]["reason"]) == ("draft_media_missing", "url_refused")


@pytest.mark.usefixtures("inner")
def test_nor_is_what_an_address_that_may_be_fetched_leads_on_to(api: APIClient) -> None:
    """127.0.0.1 is allowed here by its name; a redirect to what is not goes nowhere."""
    for goal in ("http://169.254.169.254/latest/meta-data/", "http://127.0.0.2/a.mp4", "file:///etc/passwd"):
        answer = f"HTTP/1.1 302 Found\r\nlocation: {goal}\r\ncontent-length: 0\r\n\r\n".encode()
        with serving(saying(answer)) as server:
            job, row = done(say(api, draft=reel(f"{server.url}/a.mp4")), "failed")
            assert (job.error_code, row.missing[0]["reason"]) == ("draft_media_missing", "url_refused"), goal
            job, _ = done(say(api, draft_url=f"{server.url}/1.json"), "failed")
            assert (job.error_code, job.attempt) == ("url_refused", 1), goal


def test_no_host_of_ours_is_ever_asked_and_no_file_of_ours_opened(api: APIClient) -> None:
    hosts = ("localhost", "[::1]", "2130706433", "0x7f.1", "10.0.0.1", "user:word@[fe80::1]:99999")
    job, row = done(say(api, draft=reel(*(f"http://{host}/a.mp4" for host in hosts))), "failed")
    assert job.error_code == "draft_media_missing"
    assert [one["reason"] for one in row.missing] == ["url_refused"] * len(hosts)
    files = ("file:///etc/passwd", "/etc/passwd", "//127.0.0.1/a.mp4", "ftp://1.1.1.1/a", "../../../etc/passwd")
    answer = say(api, draft=reel(*files))
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["error"]["details"]["missing"]] == list(files)


@pytest.mark.parametrize(
    "data",
    [
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        packed(reel("a.mp4")),
    ],
    ids=["ffconcat", "playlist", "archive"],
)
def test_media_that_would_open_others_are_none(api: APIClient, data: bytes) -> None:
    _, row = done(send(api, packed(reel("a.mp4"), a_mp4=data)), "failed")
    assert [one["reason"] for one in row.missing] == ["not_a_video"]


@pytest.mark.usefixtures("inner")
def test_media_together_may_not_be_larger_than_allowed(
    api: APIClient, clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = clips["red"].stat().st_size
    said = vars(settings.JOINTO_DRAFTS) | {"media_bytes": size * 3 // 2}
    monkeypatch.setattr(settings, "JOINTO_DRAFTS", type(settings.JOINTO_DRAFTS)(**said))
    with giving({f"/{name}.mp4": clips["red"].read_bytes() for name in "ab"}) as address:
        job, _ = done(say(api, draft=reel(f"{address}/a.mp4", f"{address}/b.mp4"), on_missing="slate"), "failed")
    assert job.error_code == "draft_too_large"


# -- published -------------------------------------------------------------------------------------------


def test_an_attempt_that_comes_back_from_the_dead_changes_nothing(api: APIClient, clips: dict[str, Path]) -> None:
    answer = send(api, packed(reel("a.mp4"), a_mp4=clips["red"]), format="wav")
    job = Job.objects.get(pk=answer.json()["job"]["id"])
    row = Draft.objects.get()
    contexts = []
    for number in (1, 2):
        claimed = claim(Job.objects.get(pk=job.pk))
        context = JobContext(job_id=job.pk, attempt=number)
        rendering.make(context, row.pk)
        contexts.append((claimed, context))
        if number == 1:
            transitions.retry_later(claimed, wait=timedelta(0), code="crashed", message="Gone.", crashed=True)
    (first, dead), (second, alive) = contexts
    assert transitions.complete(second, {}, effects=alive.effects)
    published = storage.path_of(Draft.objects.get().file).stat().st_ino
    assert not transitions.complete(first, {}, effects=dead.effects)
    for action in dead.when_not_published:
        action()
    assert storage.path_of(Draft.objects.get().file).stat().st_ino == published


def test_a_draft_that_is_removed_while_it_is_rendered_leaves_nothing(api: APIClient, clips: dict[str, Path]) -> None:
    answer = send(api, packed(reel("a.mp4"), a_mp4=clips["red"]), format="wav")
    row, job = Draft.objects.get(), Job.objects.get(pk=answer.json()["job"]["id"])
    context = JobContext(job_id=job.pk, attempt=1)
    claim(job)
    rendering.make(context, row.pk)
    assert api.delete(f"/api/drafts/{row.pk}/").status_code == 204
    with pytest.raises(DraftGone), transaction.atomic():
        for effect in context.effects:
            effect()
    for action in context.when_not_published:
        action()
    assert not files_under(Path(settings.MEDIA_ROOT))


def test_a_draft_that_is_rendered_once_more_has_the_new_film_alone(api: APIClient, clips: dict[str, Path]) -> None:
    _, row = done(send(api, packed(reel("a.mp4"), a_mp4=clips["red"]), format="wav"))
    assert run(tasks.render(row.pk)).status == "completed"
    now = Draft.objects.get()
    assert now.file != row.file
    assert files_under(Path(settings.MEDIA_ROOT) / f"drafts/{row.pk}") == [storage.path_of(now.file)]


def make_film(owner: User, *, data: bytes = b"0123456789") -> Draft:
    """A draft whose film is there, with any bytes."""
    draft = Draft.objects.create(
        owner=owner, name="Ferien", url="http://a.example/1", format="mp4", quality="low", on_missing="slate"
    )
    name = f"drafts/{draft.pk}/{uuid.uuid4()}.mp4"
    path = storage.path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    Draft.objects.filter(pk=draft.pk).update(file=name, duration=1.0, size=len(data))
    return Draft.objects.get(pk=draft.pk)


@pytest.mark.django_db(transaction=True)
def test_its_owner_alone_downloads_a_film_in_ranges(ann: User) -> None:
    draft = make_film(ann)
    address = draft.video_url or ""
    answer, body = ask(ann, address, range="bytes=2-4")
    assert (answer.status_code, body, answer.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Ferien.mp4"'
    staff = make_user("root", is_staff=True, is_superuser=True)
    assert [ask(user, address)[0].status_code for user in (make_user(), staff, None)] == [404, 404, 404]
    assert ask(ann, f"/media/drafts/{draft.pk}/{uuid.uuid4()}.mp4")[0].status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_is_served_to_nobody(api: APIClient, ann: User) -> None:
    say(api, draft=reel("http://93.184.215.14/a.mp4"))
    assert ask(ann, f"/media/{Draft.objects.get().source}")[0].status_code == 404


def test_files_that_no_draft_names_go_once_they_are_old_enough(ann: User, api: APIClient) -> None:
    film = make_film(ann)
    assert say(api, draft=reel("http://93.184.215.14/a.mp4")).status_code == 202
    source = storage.path_of(Draft.objects.exclude(source="").get().source)
    left = [source.with_name("x.zip"), storage.path_of(film.file).with_name("x.mp4")]
    for path in left:
        path.write_bytes(b"x")
    for path in (*left, source, storage.path_of(film.file)):
        age(path, timedelta(days=1))
    assert clean_up() == {**NOTHING, "orphans": 2}
    assert not any(path.exists() for path in left)
    Job.objects.all().delete()
    Draft.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert clean_up() == {**NOTHING, "drafts": 1, "orphans": 1}
    assert list(Draft.objects.values_list("pk", flat=True)) == [film.pk]
