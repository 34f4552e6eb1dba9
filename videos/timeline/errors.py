"""What can be wrong with a film."""

from __future__ import annotations

from typing import ClassVar

from jobs.errors import BadInput, JointoError, Remedy


class NothingToSee(BadInput):
    """The timeline is shorter than a frame."""

    code: ClassVar[str] = "nothing_to_see"
    message = "There is nothing in this timeline yet. Please add a clip, then export it."


class NothingToHear(BadInput):
    """A file of the sound alone is wanted, and there is none."""

    code: ClassVar[str] = "nothing_to_hear"
    message = "Nothing can be heard in this timeline. Please choose a format with a picture, or add a clip with sound."


class FilmIncomplete(JointoError):
    """What came out has not the frames, or not the length, that the timeline has."""

    code: ClassVar[str] = "film_incomplete"
    remedy = Remedy.RETRY
    message = "The film did not come out complete."
