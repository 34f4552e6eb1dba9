"""Uploaded media opens nothing but itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import children
from tests.videos.media import clips
from videos.media import commands, errors, probe, sandbox
from videos.media.plan import plan
from videos.media.probe import Caps
from videos.media.transcode import Workshop, inspect

HOSTILE = {
    "ffconcat": "ffconcat version 1.0\nfile {canary}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{canary}\n#EXT-X-ENDLIST\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet contentType="video"><Representation id="1" '
        'bandwidth="1"><BaseURL>{canary}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "subtitle": "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
}


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("canary") / "canary.mp4", size="160x90", seconds=1)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_script_named_mp4_is_refused_without_following_it(tmp_path: Path, canary: Path, kind: str) -> None:
    source = tmp_path / "upload.mp4"
    beside = tmp_path / "canary.mp4"
    beside.write_bytes(canary.read_bytes())
    source.write_text(HOSTILE[kind].format(canary="canary.mp4"))
    log: list[str] = []
    with pytest.raises(errors.NotAVideo):
        inspect(source, Workshop(folder=tmp_path, threads=1, on_log=log.append), caps=Caps())
    assert "canary" not in "".join(log)


@pytest.mark.parametrize("kind", ["ffconcat", "hls"])
def test_the_encoder_would_not_follow_it_either(tmp_path: Path, canary: Path, kind: str) -> None:
    """Should a file change between the probe and the encoding."""
    said = children.run(probe.command(canary), cwd=tmp_path).stdout
    planned = plan(probe.parse(said))
    source = tmp_path / "upload.mp4"
    source.write_text(HOSTILE[kind].format(canary=canary))
    folder = tmp_path / "folder"
    folder.mkdir()
    for command in (
        commands.ladder(planned, source, threads=1, longest=5),
        commands.poster(planned, source, "poster.jpg", 0),
    ):
        with pytest.raises(children.ChildFailed) as caught:
            children.run(command, cwd=folder, on_line=lambda line: True)
        assert "canary" not in "".join(caught.value.tail)
        assert not list(folder.iterdir())


def test_the_canary_would_sing_without_the_whitelist(tmp_path: Path, canary: Path) -> None:
    """Otherwise the tests above would show nothing."""
    source = tmp_path / "upload.mp4"
    (tmp_path / "canary.mp4").write_bytes(canary.read_bytes())
    source.write_text(HOSTILE["ffconcat"].format(canary="canary.mp4"))
    command = [part for part in probe.command(source) if part not in ("-format_whitelist", ",".join(sandbox.DEMUXERS))]
    assert '"h264"' in children.run(command, cwd=tmp_path).stdout


@pytest.mark.parametrize("name", ["-i.mp4", "%d.mp4", "http:x.mp4", "pipe:0", "a b'c|d[e].mp4", "clip?.mp4"])
def test_no_name_is_read_as_anything_but_a_name(tmp_path: Path, canary: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(canary.read_bytes())
    found = inspect(source, Workshop(folder=tmp_path, threads=1), caps=Caps())
    folder = tmp_path / "folder"
    folder.mkdir()
    children.run(commands.poster(plan(found), source, "%03d.jpg", 0), cwd=folder)
    assert [path.name for path in folder.iterdir()] == ["%03d.jpg"]


def test_limits_grow_with_the_work() -> None:
    small = sandbox.encoding(seconds=10, pixels=640 * 360, rate=25, peak=10**6, outputs=1, threads=1)
    large = sandbox.encoding(seconds=600, pixels=7680 * 4320, rate=60, peak=10**7, outputs=4, threads=8)
    for name in ("wall_seconds", "memory_bytes", "file_bytes", "cpu_seconds"):
        assert getattr(small, name) < getattr(large, name)
