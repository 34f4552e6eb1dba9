"""Files come whole and go with their empty folders; a name never leaves the media root."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from videos import storage

pytestmark = pytest.mark.usefixtures("no_files")

ROOT = Path(settings.MEDIA_ROOT)


@pytest.mark.parametrize("name", ["../x", "videos/../../x", "/etc/passwd", "videos/../../../etc/passwd"])
def test_a_name_that_leaves_the_root_is_a_bug(name: str) -> None:
    with pytest.raises(ValueError, match="leaves the media root"):
        storage.path_of(name)


def test_removing_takes_the_empty_folders_along_and_nothing_else() -> None:
    for name in ("videos/uploads/2026/01/02/a.mp4", "videos/uploads/2026/01/03/b.mp4", "videos/7/x/m.m3u8"):
        storage.path_of(name).parent.mkdir(parents=True)
        storage.path_of(name).touch()
    storage.remove("videos/uploads/2026/01/02/a.mp4")
    assert not (ROOT / "videos/uploads/2026/01/02").exists()
    assert (ROOT / "videos/uploads/2026/01/03/b.mp4").exists()
    storage.remove("videos/7/x")
    assert not (ROOT / "videos/7").exists()
    for name in ("", "videos/7/x", "nothing/at/all"):
        storage.remove(name)
    storage.remove("videos/uploads/2026/01/03/b.mp4")
    assert (not ROOT.exists()) or list(ROOT.iterdir()) == []


def test_a_file_gets_its_place_without_a_copy_and_a_place_is_given_once(tmp_path: Path) -> None:
    part = ROOT.parent / "a.part"
    part.write_bytes(b"bytes")
    storage.adopt(part, "videos/a.mp4")
    assert storage.path_of("videos/a.mp4").stat().st_ino == part.stat().st_ino
    with pytest.raises(FileExistsError):
        storage.adopt(part, "videos/a.mp4")
    part.unlink()
    assert storage.path_of("videos/a.mp4").read_bytes() == b"bytes"


def test_a_file_takes_the_place_of_another_at_once_and_may_do_so_again(tmp_path: Path) -> None:
    made = [ROOT.parent / name for name in ("one", "two")]
    for path in made:
        path.write_text(path.name)
        for _ in range(2):
            storage.replace(path, "exports/1/x.mp4")
        assert storage.path_of("exports/1/x.mp4").read_text() == path.name
    assert [storage.holds("exports/1/x.mp4", path) for path in made] == [False, True]
    assert not storage.holds("exports/1/y.mp4", made[0])
    for path in made:
        path.unlink()
    assert storage.path_of("exports/1/x.mp4").read_text() == "two"


def test_a_file_gets_its_place_while_others_remove_the_last_one_of_its_folder() -> None:
    made = ROOT.parent / "made"
    made.write_text("made")
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                storage.path_of("exports/1").mkdir(parents=True, exist_ok=True)
            storage.remove("exports/1/nothing.mp4")

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(200):
            storage.replace(made, "exports/1/x.mp4")
            assert storage.holds("exports/1/x.mp4", made)
            storage.remove("exports/1/x.mp4")
    finally:
        stop.set()
        thread.join()
        made.unlink()


def test_a_folder_appears_whole_and_never_over_another() -> None:
    for name in ("one", "two"):
        folder = ROOT.parent / name
        folder.mkdir(exist_ok=True)
        (folder / "m.m3u8").write_text(name)
    storage.publish(ROOT.parent / "one", "videos/1/x")
    assert not (ROOT.parent / "one").exists()
    with pytest.raises(OSError, match="not empty"):
        storage.publish(ROOT.parent / "two", "videos/1/x")
    assert (storage.path_of("videos/1/x") / "m.m3u8").read_text() == "one"
    (ROOT.parent / "two/m.m3u8").unlink()
    (ROOT.parent / "two").rmdir()


@pytest.mark.parametrize(
    ("head", "ending"),
    [
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", ".mp4"),
        (b"\x1aE\xdf\xa3\x93B\x82\x84webm", ".webm"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ".png"),
        (b"fLaC\x00\x00\x00\x22", ".flac"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", ".bin"),
        (b"#EXTM3U\n#EXT-X-VERSION:3", ".bin"),
        (b"<html>", ".bin"),
        (b"#!/bin/sh", ".bin"),
        (b"", ".bin"),
    ],
)
def test_an_ending_is_by_content_and_never_one_that_runs(head: bytes, ending: str) -> None:
    assert storage.ending_of(head) == ending


def test_a_stored_name_has_nothing_of_the_users_and_is_never_the_same() -> None:
    now = timezone.now()
    names = {storage.name_for_upload(b"", now) for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith(f"videos/uploads/{now:%Y/%m/%d}/") for name in names)
