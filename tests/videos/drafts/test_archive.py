"""Zip archives by people who mean harm, and by people whose computers pack in odd ways."""

from __future__ import annotations

import io
import stat
import struct
import time
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.effort import assert_at_most
from videos.drafts import archive
from videos.drafts.archive import Archive, Limits
from videos.drafts.errors import DraftArchiveUnsafe, DraftTooLarge

LIMITS = Limits(entries=20, ratio=200, document_bytes=1000, total_bytes=100 << 20)


def pack(*entries: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as file:
        for name, data in entries:
            file.writestr(name, data, packing)
    return stream.getvalue()


def names(data: bytes, path: str, **options: Any) -> str | None:
    """What is found for a path."""
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        info = found.find(path, **options)
        return info.filename if info else None


def refused(data: bytes | Path, limits: Limits = LIMITS) -> str:
    """Why it is refused, at once or when the draft is read."""
    with (
        pytest.raises(DraftArchiveUnsafe) as caught,
        archive.opened(io.BytesIO(data) if isinstance(data, bytes) else data, limits) as found,
    ):
        list(found.documents())
    assert (caught.value.code, caught.value.message[-1]) == ("draft_archive_unsafe", ".")
    return str(caught.value.details["reason"])


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name", ["../a.mp4", "a/../../b", "/etc/passwd", "\\\\host\\a", "C:\\a.mp4", "c:a", "a\\..\\b", ".."]
)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    assert refused(pack(("draft_content.json", b"{}"), (name, b"x"))) == "name"


def test_a_name_with_a_nul_in_it_is_refused() -> None:
    data = pack(("draft_content.json", b"{}"), ("aXb.mp4", b"x"))
    assert refused(data.replace(b"aXb.mp4", b"a\0b.mp4")) == "name"


def test_a_link_is_refused() -> None:
    assert refused(pack(("draft_content.json", b"{}"), (link("a.mp4"), b"/etc/passwd"))) == "link"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = pack(("draft_content.json", b"{}"), ("a.mp4", bytes(11 << 20)))
    assert refused(data) == "ratio"


def test_a_bomb_in_many_pieces_is_refused_too() -> None:
    data = pack(("draft_content.json", b"{}"), *((f"{number}.mp4", bytes(8 << 20)) for number in range(3)))
    assert refused(data) == "ratio"


def test_a_bomb_whose_entries_are_the_same_bytes_is_refused_too() -> None:
    """As Fifield's: the directory names one place of the file again and again."""
    data = pack(("a.mp4", bytes(9 << 20)))
    directory, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    records = [data[directory:end].replace(b"a.mp4", f"{number}.mp4".encode()) for number in range(10)]
    last = bytearray(data[end:])
    struct.pack_into("<HHL", last, 8, 10, 10, sum(map(len, records)))
    assert refused(data[:directory] + b"".join(records) + last) == "ratio"


def test_an_archive_in_an_archive_stays_packed(tmp_path: Path) -> None:
    inner = pack(("draft_content.json", b'{"tracks": []}'), ("a.mp4", b"x"), packing=zipfile.ZIP_STORED)
    with archive.opened(io.BytesIO(pack(("inner.zip", inner))), LIMITS) as found:
        assert list(found.documents()) == []
        assert found.find("a.mp4") is None
        info = found.find("inner.zip")
        assert info
        found.extract(info, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == inner


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_the_first_is_meant(tmp_path: Path) -> None:
    data = pack(("draft_content.json", b"1"), ("a.mp4", b"one"), ("draft_content.json", b"2"), ("A.mp4", b"two"))
    data = data.replace(b"A.mp4", b"a.mp4")
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        assert [document for _, document in found.documents()] == [b"1", b"2"]
        for folder in (None, ""):
            info = found.find("a.mp4", folder=folder)
            assert info
            found.extract(info, tmp_path / "a")
            assert (tmp_path / "a").read_bytes() == b"one"


def test_to_find_the_draft_no_more_is_unpacked_than_two_of_the_largest() -> None:
    data = pack(*((f"{number}/draft_content.json", bytes([number]) * 999) for number in range(5)), ("x.json", b"{}"))
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        assert [len(document) for _, document in found.documents()] == [999, 999, 2]


def test_what_packs_well_and_is_small_is_no_bomb() -> None:
    data = pack(("draft_content.json", b"{}"), ("a.wav", bytes(5 << 20)))
    assert names(data, "a.wav") == "a.wav"


def test_many_tiny_files_are_refused_whatever_the_archive_says_of_their_number() -> None:
    data = pack(*((f"{number}.txt", b"") for number in range(21)))
    assert refused(data) == "entries"
    place = data.rfind(b"PK\x05\x06")
    lying = bytearray(data)
    struct.pack_into("<HH", lying, place + 8, 1, 1)
    assert refused(bytes(lying)) == "entries"


def test_a_directory_of_any_length_is_not_read_into_memory() -> None:
    data = pack(*((f"{number:07d}.txt", b"") for number in range(20_000)))
    tracemalloc.start()
    try:
        assert refused(data) == "entries"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_more_than_is_allowed_of_all_together_is_too_large() -> None:
    limits = Limits(entries=20, ratio=200, document_bytes=1000, total_bytes=1500)
    data = pack(("draft_content.json", b"{}"), ("a", bytes(1000)), ("b", bytes(1000)))
    with pytest.raises(DraftTooLarge), archive.opened(io.BytesIO(data), limits):
        pass


def test_a_draft_that_is_too_large_is_told_apart_from_none() -> None:
    data = pack(("draft_content.json", b"{" + b" " * 1000 + b"}"))
    with pytest.raises(DraftTooLarge), archive.opened(io.BytesIO(data), LIMITS) as found:
        list(found.documents())


def test_an_entry_gives_no_more_than_the_archive_states_for_it(tmp_path: Path) -> None:
    data = bytearray(pack(("draft_content.json", b"{}"), ("a.mp4", b"x" * 5000)))
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, place + 24, 10)
    with archive.opened(io.BytesIO(bytes(data)), LIMITS) as found:
        info = found.find("a.mp4")
        assert info
        with pytest.raises(DraftArchiveUnsafe):
            found.extract(info, tmp_path / "a")
    assert (tmp_path / "a").stat().st_size <= 10


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_take_memory_as_they_please_are_refused(packing: int) -> None:
    assert refused(pack(("draft_content.json", b"{}" * 100), packing=packing)) == "packing"


def test_a_password_is_told() -> None:
    data = bytearray(pack(("draft_content.json", b"{}")))
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(data)) == "password"


def misplaced(data: bytes, by: int) -> bytes:
    """An archive whose directory begins elsewhere than its last record says: earlier, if `by` is more than nought."""
    changed = bytearray(data)
    place = changed.rfind(b"PK\x05\x06") + 16
    struct.pack_into("<L", changed, place, struct.unpack_from("<L", changed, place)[0] + by)
    return bytes(changed)


@pytest.mark.parametrize("by", [-1, 1, 50, 2**31])
def test_an_archive_whose_entries_are_not_where_it_says_is_damaged(by: int, tmp_path: Path) -> None:
    """A file of the system can't be looked into before its beginning; one in memory says so otherwise."""
    data = misplaced(pack(("draft_content.json", b"{}")), by)
    assert refused(data) == "damaged"
    (tmp_path / "a.zip").write_bytes(data)
    assert refused(tmp_path / "a.zip") == "damaged"


def test_an_entry_behind_the_end_of_the_archive_is_damaged(tmp_path: Path) -> None:
    data = bytearray(pack(("draft_content.json", b"{}"), ("a.mp4", b"x")))
    struct.pack_into("<L", data, data.rfind(b"PK\x01\x02") + 42, len(data))
    (tmp_path / "a.zip").write_bytes(data)
    assert refused(tmp_path / "a.zip") == "damaged"


def test_whatever_is_cut_or_changed_in_an_archive_it_is_damaged_at_worst(tmp_path: Path) -> None:
    whole = pack(("draft_content.json", b'{"tracks": []}'), ("a.mp4", b"x" * 50))
    file = tmp_path / "a.zip"
    for place in range(len(whole)):
        for data in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            file.write_bytes(data)
            for sent in (io.BytesIO(data), file):
                try:
                    with archive.opened(sent, LIMITS) as found:
                        list(found.documents())
                except (DraftArchiveUnsafe, DraftTooLarge):
                    pass


def test_what_the_disk_can_not_do_is_not_the_archives_fault(tmp_path: Path) -> None:
    data = pack(("draft_content.json", b"{}"))
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        info = found.find("draft_content.json")
        assert info
        with pytest.raises(FileNotFoundError):
            found.extract(info, tmp_path / "gone" / "a")


def test_a_file_is_found_from_the_drafts_folder_and_else_by_its_name() -> None:
    data = pack(
        *(("one/draft_content.json", b"{}"), ("one/media/a.mp4", b"x"), ("a.mp4", b"x")),
        *(("Old/media/A.MP4", b"x"), ("__MACOSX/one/media/b.mp4", b"x"), ("two/._b.mp4", b"x")),
    )
    assert names(data, "media/a.mp4", folder="one") == "one/media/a.mp4"
    assert names(data, "a.mp4", folder="one") == "a.mp4"
    assert names(data, r"D:\films\old\media\a.mp4") == "Old/media/A.MP4"
    assert names(data, "/Users/ann/a.mp4") == "a.mp4"
    assert names(data, "b.mp4") is None
    assert names(data, "") is None


def test_accents_are_the_same_however_a_system_keeps_them() -> None:
    whole, apart = "Été/が.mp4", unicodedata.normalize("NFD", "Été/が.mp4")
    for packed, asked in ((whole, apart), (apart, whole)):
        data = pack((packed, b"x"))
        assert [names(data, asked.lower()), names(data, asked, folder="")] == [packed, packed]


def test_chinese_names_are_read_as_windows_packs_them() -> None:
    data = pack(("?????.mp4", b"x"), ("draft_content.json", b"{}"))
    data = data.replace(b"?????", "片段".encode("gbk") + b"1")
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        assert found.find(r"D:\素材\片段1.mp4")


def test_of_several_drafts_the_least_deep_is_the_first() -> None:
    data = pack(
        *(("meta.json", b"1"), ("p/Timelines/x/draft_content.json", b"2"), ("p/draft_info.json", b"3"), ("p/a", b"")),
    )
    with archive.opened(io.BytesIO(data), LIMITS) as found:
        assert list(found.documents()) == [("p", b"3"), ("p/Timelines/x", b"2"), ("", b"1")]


def test_the_folders_that_count_are_the_last_ones(tmp_path: Path) -> None:
    deep = "/".join(map(str, range(40)))
    data = pack((f"b/{deep}/a.mp4", b"x"), (f"c/{deep}/a.mp4", b"x"), ("39/a.mp4", b"x"), ("z/a.mp4", b"x"))
    assert names(data, f"D:/films/{deep}/a.mp4") == f"b/{deep}/a.mp4"
    assert names(data, f"c/{deep}/a.mp4", folder="") == f"c/{deep}/a.mp4"
    assert names(data, "films/39/a.mp4") == "39/a.mp4"


# -- how long it takes -----------------------------------------------------------------------------------


def seconds(data: bytes, ask: Callable[[Archive], object]) -> float:
    """CPU of this thread, so that others don't count."""
    limits = Limits(entries=20_000, ratio=200, document_bytes=1 << 20, total_bytes=100 << 20)
    began = time.thread_time()
    with archive.opened(io.BytesIO(data), limits) as found:
        ask(found)
    return time.thread_time() - began


def documents(size: int) -> float:
    paths = (f"{number}/{name}.json" for name in ("draft_content", "other") for number in range(size))
    return seconds(pack(*((path, b"") for path in paths)), lambda found: next(found.documents()))


def media_of_one_name(size: int) -> float:
    """As many media as there are files that may be meant, deep down and all called the same."""
    folders = "/".join(["folder"] * 30)
    data = pack(*((f"{number}/{folders}/a.mp4", b"") for number in range(size)))
    paths = [f"C:/{number}/{folders}/a.mp4" for number in range(size)]
    return seconds(data, lambda found: [found.find(path, folder=folder) for path in paths for folder in (None, "x")])


def media_of_a_deep_folder(size: int) -> float:
    folder = "a/" * size * 8
    data = pack((f"{folder}draft_content.json", b"{}"))
    return seconds(data, lambda found: [found.find(f"{number}.mp4", folder=folder) for number in range(size)])


def marks(size: int) -> float:
    """Names that take long to put in order."""
    files = ((f"{number}" + "\u0301\u0316" * (size * 4), b"") for number in range(8))
    return seconds(pack(*files), lambda found: None)


@pytest.mark.parametrize("evil", [documents, media_of_one_name, media_of_a_deep_folder, marks])
def test_sixteen_times_the_files_are_about_sixteen_times_the_work(evil: Callable[[int], float]) -> None:
    """Of what compares each with each it would be 256 times."""
    assert_at_most(64, lambda: evil(200), lambda: evil(3_200))
