"""Cards and clips that are made without any service: real media, the same each time, and honest about what they are."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from assets.providers import registry
from assets.providers.base import GenerationLost, ImageRequest, InvalidRequest, MediaProvider, VideoRequest
from assets.providers.settings import ProviderSettings
from jobs import children
from videos.media import transcode
from videos.media.transcode import Workshop

INK = (28, 28, 32)
SIZE = (320, 180)
STRANGE = [
    *("\x00 NUL", "half \ud83d of one", "a" * 5000, "🌧️🎬", "שלום עולם"),
    *("\\N{\\b1}%{pts}':=", "one\ntwo\u202ethree", "𝕏 Ωμέγα"),
]
NO_PICTURES = [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"cut", b"ffconcat version 1.0\nfile /etc/passwd"]


@pytest.fixture
def offline(tmp_path: Path) -> MediaProvider:
    return registry.media_provider("offline", ProviderSettings(), folder=tmp_path)


def card(offline: MediaProvider, prompt: str, size: tuple[int, int] = SIZE) -> bytes:
    (result,) = offline.submit_image(ImageRequest(prompt=prompt, size=size)).results
    assert result.media_type == "image/png"
    assert result.data
    return result.data


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image.convert("RGB")


def frames(clip: bytes, folder: Path) -> list[Image.Image]:
    """Its first and last picture."""
    (folder / "look.mp4").write_bytes(clip)
    found = []
    for name, seek in (("first", ("-i", "look.mp4")), ("last", ("-sseof", "-0.05", "-i", "look.mp4"))):
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *seek, "-frames:v", "1", f"{name}.png"]
        children.run(command, cwd=folder)
        found.append(opened((folder / f"{name}.png").read_bytes()))
    return found


def labelled(image: Image.Image) -> bool:
    """Whether a dark sign with light letters stands in the lower right corner."""
    corner = image.crop((image.width - 80, image.height - 14, image.width - 6, image.height - 6))
    counted = corner.convert("L").histogram()
    dark, light = sum(counted[:70]), sum(counted[170:])
    return dark > 0.5 * corner.width * corner.height and light > 10


def test_a_card_is_a_picture_of_that_size_that_says_what_it_is(offline: MediaProvider) -> None:
    image = opened(card(offline, "INT. 客厅 - NIGHT. Sarah waits."))
    assert image.size == SIZE
    assert labelled(image)


def test_the_same_request_gives_the_same_card_and_another_one_another(offline: MediaProvider) -> None:
    first, again, other = (card(offline, prompt) for prompt in ("A door.", "A door.", "A window."))
    assert first == again != other
    sky = {opened(data).getpixel((40, 12)) for data in (first, other)}
    assert len(sky) == 2  # colours follow from the words too


def test_the_words_are_on_the_card(offline: MediaProvider) -> None:
    prompts = ("i", "WWWWWWWW WWWWWWWW", "晚晚晚晚")
    written = [opened(card(offline, prompt)).crop((10, 104, 300, 150)) for prompt in prompts]
    inks = [sum(image.convert("L").histogram()[:90]) for image in written]
    assert 0 < inks[0] < inks[1]
    assert inks[2] > 50


@pytest.mark.parametrize("prompt", STRANGE)
@pytest.mark.parametrize("size", [(64, 64), (200, 600)])
def test_whatever_is_written_becomes_a_card(offline: MediaProvider, prompt: str, size: tuple[int, int]) -> None:
    assert opened(card(offline, prompt, size)).size == size


@pytest.mark.parametrize("prompt", ["", "   ", "\x00\n"])
def test_a_prompt_without_words_is_refused(offline: MediaProvider, prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        card(offline, prompt)


@pytest.mark.parametrize("size", [(0, 100), (100, 5000), (-1, -1), (63, 64)])
def test_a_size_that_is_none_is_refused(offline: MediaProvider, size: tuple[int, int]) -> None:
    with pytest.raises(InvalidRequest, match="pixels"):
        card(offline, "A door.", size)
    with pytest.raises(InvalidRequest, match="pixels"):
        offline.submit_video(VideoRequest(prompt="A door.", size=size))


def test_a_title_clip_plays_moves_and_says_what_it_is(offline: MediaProvider, tmp_path: Path) -> None:
    request = VideoRequest(prompt="A door opens", seconds=1.2, size=(321, 181))
    clip, again = (offline.submit_video(request).results[0].data for _ in range(2))
    assert clip
    assert clip == again
    (tmp_path / "clip.mp4").write_bytes(clip)
    found = transcode.look(tmp_path / "clip.mp4", Workshop(folder=tmp_path, threads=1))
    assert found.video
    assert (found.video.width, found.video.height) == (320, 180)
    assert found.duration == pytest.approx(1.2)
    at_first, at_last = frames(clip, tmp_path)
    assert at_first.tobytes() != at_last.tobytes()
    assert labelled(at_first)
    assert labelled(at_last)


def test_a_picture_is_moved_over_in_its_own_colours(offline: MediaProvider, tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 100), (200, 40, 40))
    picture.paste((40, 60, 200), (100, 0, 200, 100))
    packed = io.BytesIO()
    picture.save(packed, "WEBP", lossless=True)
    request = VideoRequest(prompt="left to right", image=packed.getvalue(), seconds=2, size=(200, 100))
    clip = offline.submit_video(request).results[0].data
    assert clip
    (tmp_path / "look.mp4").write_bytes(clip)
    children.run(["ffmpeg", "-v", "error", "-ss", "1", "-i", "look.mp4", "-frames:v", "1", "middle.png"], cwd=tmp_path)
    middle = opened((tmp_path / "middle.png").read_bytes())
    for x, colour in ((30, (200, 40, 40)), (170, (40, 60, 200))):
        seen = middle.getpixel((x, 20))
        assert isinstance(seen, tuple)
        assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) < 12


@pytest.mark.parametrize("picture", NO_PICTURES)
def test_what_is_no_picture_is_refused(offline: MediaProvider, picture: bytes) -> None:
    with pytest.raises(InvalidRequest):
        offline.submit_video(VideoRequest(prompt="x", image=picture, seconds=1, size=SIZE))


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(offline: MediaProvider, seconds: float) -> None:
    with pytest.raises(InvalidRequest, match="seconds"):
        offline.submit_video(VideoRequest(prompt="x", seconds=seconds, size=SIZE))


def test_there_is_never_anything_to_wait_for(offline: MediaProvider) -> None:
    with pytest.raises(GenerationLost):
        offline.poll("x", age_seconds=0)
    offline.cancel("x")
