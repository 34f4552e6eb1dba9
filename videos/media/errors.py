"""What can be wrong with a media file, and how a failing ffmpeg is told apart.

Each class is one condition with a stable code and a sentence for the person who uploaded the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.children import ChildFailed
from jobs.errors import BadInput, JointoError, Remedy


class MediaError(BadInput):
    """Something about an uploaded file; sending the same file again changes nothing."""


class NotAVideo(MediaError):
    """No demuxer that is allowed here recognises the file; playlists and scripts among them."""

    code = "not_a_video"
    message = "This is not a video or sound file that can be read here. Please upload MP4, MOV, MKV or WebM."


class NotAStill(MediaError):
    """None of the decoders that are allowed here recognises the file as a picture."""

    code = "not_a_still"
    message = "This is not a picture that can be read here. Please upload JPEG, PNG, WebP, GIF or AVIF."
    heic = "Pictures in the format HEIC can't be read here. Please export this one as JPEG or PNG."


class MediaTruncated(MediaError):
    """The file ends before what it announces."""

    code = "media_truncated"
    message = "This file is cut short: its end is missing. Please export or copy it again, then upload it anew."


class MediaEmpty(MediaError):
    """There is not a byte, or not a frame, in the file."""

    code = "media_empty"
    message = "This file is empty. Please check it on your side, then upload it again."


class MediaTooLarge(MediaError):
    """The picture has more pixels than are accepted."""

    code = "media_too_large"
    message = "The picture of this video is too large. Please export it in a smaller resolution."


class MediaTooLong(MediaError):
    """The video runs longer than is accepted."""

    code = "media_too_long"
    message = "This video is too long. Please cut it into shorter parts."


class MediaDamaged(MediaError):
    """The file is recognised, but its frames can't be decoded."""

    code = "media_damaged"
    message = "This file is damaged, or made with a codec that is not supported. Please export it as H.264 MP4."
    picture = "This picture is damaged. Please export or copy it again, then upload it anew."


class MediaNoStreams(MediaError):
    """The container holds neither picture nor sound."""

    code = "media_no_streams"
    message = "There is neither picture nor sound in this file. Please check that you chose the right one."


class MediaNoSound(MediaError):
    """What was to be heard has no sound."""

    code = "media_no_sound"
    message = "There is no sound in this file. Please check that you chose the right one."


class StorageFull(JointoError):
    """The disk that the work is done on is full: the operator's affair, not the user's."""

    code = "storage_full"
    status = 507
    remedy = Remedy.RETRY
    message = "The server has run out of space. The work is tried again later; nothing is wrong with your file."


# Words of libavutil's error table and of the demuxers, the same from ffmpeg 4.4 to 7.
_STORAGE = ("No space left on device", "Disk quota exceeded")
_OURS = ("Cannot allocate memory", "Input/output error", "Permission denied", "No such file or directory")
_GIVES_UP = 1  # how ffprobe ends over a file that it can make nothing of
_REFUSED = ("not on whitelist", "Invalid data found when processing input", "Operation not permitted")
_DAMAGED = (
    "Invalid data found",
    "Error while decoding",
    "Error submitting packet to decoder",
    "Error while filtering",
    "Could not find codec parameters",
    "matches no streams",
    "Cannot determine format of input",
    "Decoder (codec",  # "Decoder (codec none) not found for input stream"
    "Decoding requested, but no decoder found",
    "Output file is empty",
)


def speaks_of_full_storage(tail: Sequence[str]) -> bool:
    """Whether a log tells of a full disk. ffmpeg may end well all the same: some muxers pass over it."""
    return any(words in line for line in tail for words in _STORAGE)


def from_child(error: ChildFailed, *, probed: bool) -> JointoError:
    """Tell what made ffprobe or ffmpeg fail from the last lines of its log.

    `probed` says whether the file had been recognised before: what can't even be opened is no video, what can
    be opened but not decoded is damaged; so is what ffprobe gives up in words that nobody knows. An error that says
    nothing about the file (killed by a signal, timed out, trouble of our own) comes back as it is.
    """
    if type(error) is not ChildFailed:
        return error  # it took too long or said too much: nothing is known about the file
    if speaks_of_full_storage(error.tail):
        return StorageFull()
    log = "\n".join(error.tail)
    if error.returncode is None or error.returncode < 0:
        return error
    if any(words in log for words in _OURS):
        return error  # the words that stand beside these are the same as for damage
    if not probed and any(words in log for words in _REFUSED):
        return NotAVideo()
    if not probed and error.returncode == _GIVES_UP:
        return MediaDamaged()
    if probed and any(words in log for words in _DAMAGED):
        return MediaDamaged()
    return error
