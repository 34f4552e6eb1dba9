"""Which error a failing ffmpeg amounts to."""

from __future__ import annotations

import signal

import pytest

from jobs.children import ChildFailed, ChildTimedOut
from jobs.errors import BadInput, JointoError, Remedy
from videos.media import errors


def failed(*tail: str, returncode: int | None = 1) -> ChildFailed:
    return ChildFailed(returncode=returncode, tail=tail)


@pytest.mark.parametrize(
    ("tail", "probed", "kind"),
    [
        ("file:x: Invalid data found when processing input", False, errors.NotAVideo),
        ("[concat @ 0x1] Format not on whitelist 'mov'", False, errors.NotAVideo),
        ("[rawvideo @ 0x1] Invalid pixel format.", False, errors.MediaDamaged),
        (
            "Error while decoding stream #0:0: Invalid data found when processing input",
            True,
            errors.MediaDamaged,
        ),
        ("Decoder (codec none) not found for input stream #0:1", True, errors.MediaDamaged),
        ("av_interleaved_write_frame(): No space left on device", True, errors.StorageFull),
        ("Disk quota exceeded", False, errors.StorageFull),
    ],
)
def test_the_words_of_ffmpeg_tell_what_is_wrong(tail: str, probed: bool, kind: type[JointoError]) -> None:
    assert type(errors.from_child(failed("before", tail, "after"), probed=probed)) is kind


def test_a_full_disk_is_tried_again_and_is_not_the_users_fault() -> None:
    full = errors.StorageFull()
    assert not isinstance(full, BadInput)
    assert (full.status, full.remedy, full.code) == (507, Remedy.RETRY, "storage_full")


def test_what_says_nothing_about_the_file_stays_what_it_is() -> None:
    killed = failed("Invalid data found when processing input", returncode=-signal.SIGKILL)
    slow = ChildTimedOut(tail=["Invalid data found when processing input"])
    # As ffmpeg says it when the memory that it may have is used up.
    short = failed("Error while filtering: Cannot allocate memory", "Error submitting packet to decoder")
    for error in (killed, slow, short, failed("Unknown encoder 'libx264'")):
        assert errors.from_child(error, probed=True) is error
    for ours in (failed("file:x: Input/output error"), failed("Permission denied"), failed("x", returncode=125)):
        assert errors.from_child(ours, probed=False) is ours


def test_codes_are_stable_and_every_message_says_what_to_do() -> None:
    kinds = {kind.code: kind for kind in errors.MediaError.__subclasses__()}
    assert set(kinds) == {
        "not_a_video",
        "not_a_still",
        "media_truncated",
        "media_empty",
        "media_too_large",
        "media_too_long",
        "media_damaged",
        "media_no_streams",
        "media_no_sound",
    }
    for kind in kinds.values():
        assert kind.message.count(". ") == 1, kind.message
        assert kind.remedy is Remedy.NONE
