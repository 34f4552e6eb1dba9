"""Pictures and clips without any service: storyboard cards, and slow moves over pictures. They say what they are.

A card shows the words of its prompt, in colours that follow from them; the same request gives the same file. A clip
moves over a picture that it is given, or over a card. Nothing here is made by a model, and every picture says so.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from assets.providers import offline_clips
from assets.providers.base import (
    Done,
    GenerationLost,
    ImageRequest,
    InvalidRequest,
    Pending,
    Picture,
    Result,
    Submitted,
    Usage,
    VideoRequest,
)
from assets.providers.settings import ProviderSettings
from jobs import children, outbound
from jobs.children import Limits
from videos.media import stills
from videos.media.errors import MediaError
from videos.media.probe import Caps
from videos.media.transcode import Run, Workshop
from videos.timeline import fonts
from videos.timeline.fonts import Fonts, Look
from videos.timeline.meter import Meter
from videos.timeline.studio import Studio

LABEL = "OFFLINE STORYBOARD"
MODEL = "storyboard"
_PROGRAM = Path(__file__).with_name("offline_card.py")
_SIZE = (1280, 720)
_SIDES = (64, 4096)
_SECONDS = (0.2, 60.0)
_LONGEST_PROMPT = 2000  # characters that are drawn
_DRAWING = Limits(
    wall_seconds=120,
    stall_seconds=None,
    memory_bytes=2 * 1024**3,
    file_bytes=256 * 1024**2,
    cpu_seconds=100,
    open_files=64,
)
_PICTURE = Caps(pixels=64 * 1024**2, seconds=1.0)


class Offline:
    """Draws; costs nothing, needs no key, and answers at once."""

    name = "offline"

    def __init__(self, settings: ProviderSettings, *, folder: Path, run: Run = children.run) -> None:
        """`folder`: a private one, that this may fill."""
        self._settings = settings
        self._folder = folder
        self._run = run

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        card = self._drawn(self._words(request.prompt), size=self._size(request.size), with_label=True)
        data = card.read_bytes()
        return Submitted(provider_id="", results=(Result(data=data, media_type="image/png"),), usage=Usage(images=1))

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        seconds = request.seconds if request.seconds is not None else 5.0
        if not _SECONDS[0] <= seconds <= _SECONDS[1]:
            raise InvalidRequest(f"A clip takes from {_SECONDS[0]} to {_SECONDS[1]:g} seconds.", provider=self.name)
        width, height = self._size(request.size)
        size = (width - width % 2, height - height % 2)
        if request.image is None:
            picture = self._drawn(self._words(request.prompt), size=size, with_label=False)
        else:
            picture = self._developed(request.image)
        label = self._drawn("", size=size, with_label=True)  # stands still while the rest moves
        move = offline_clips.Move.of(request.prompt, seconds=seconds, size=size, words=request.image is None)
        command = offline_clips.command(move, picture.name, label.name, threads=self._settings.threads)
        limits = offline_clips.limits(move, threads=self._settings.threads)
        self._run(command, cwd=self._folder, limits=limits, on_line=lambda line: True)
        data = (self._folder / offline_clips.FILE).read_bytes()
        return Submitted(
            provider_id="", results=(Result(data=data, media_type="video/mp4"),), usage=Usage(seconds=seconds)
        )

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        return float(_DRAWING.wall_seconds or 0)

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        raise GenerationLost(provider=self.name)  # it answers at once: there is never anything to ask for

    def cancel(self, provider_id: str, /) -> None:
        """There is nothing that goes on."""

    def _size(self, size: tuple[int, int] | None) -> tuple[int, int]:
        size = size or _SIZE
        if not all(_SIDES[0] <= side <= _SIDES[1] for side in size):
            sentence = f"The sides of a picture have to be from {_SIDES[0]} to {_SIDES[1]} pixels long."
            raise InvalidRequest(sentence, provider=self.name)
        return size

    def _words(self, prompt: str) -> str:
        """What is drawn of a prompt: as much as a card holds, in one line of what letters there are."""
        words = " ".join("".join(one if one.isprintable() else " " for one in prompt).split())[:_LONGEST_PROMPT]
        if not words:
            raise InvalidRequest("The prompt is empty: say what is to be seen.", provider=self.name)
        return words

    def _drawn(self, words: str, *, size: tuple[int, int], with_label: bool) -> Path:
        """A card as a file in the folder; without words the label alone, on a ground that is seen through."""
        target = "card.png" if words else "label.png"
        order: dict[str, Any] = {
            "size": size,
            "card": bool(words),
            "words": self._runs(words),
            "label": self._runs(LABEL if with_label else ""),
            "seed": hashlib.sha256(words.encode()).hexdigest(),
            "target": target,
        }
        (self._folder / "order.json").write_text(json.dumps(order), encoding="ascii")
        command = [sys.executable, "-I", str(_PROGRAM), "order.json"]
        self._run(command, cwd=self._folder, limits=_DRAWING)
        return self._folder / target

    def _runs(self, text: str) -> list[dict[str, Any]]:
        """The text in pieces of one font each; what is in no font is left out."""
        studio = Studio(
            folder=self._folder, threads=1, run=self._run, meter=Meter(lambda *step: None, 1.0, {"drawing": 1.0})
        )
        look = Look(family="sans-serif", bold=False, italic=False, language=fonts.language(text))
        runs: list[dict[str, Any]] = []
        for character, face in zip(text, Fonts.of(studio).faces(look, text), strict=True):
            if face is None:
                continue
            if runs and runs[-1]["font"] == [face.file, face.index]:
                runs[-1]["text"] += character
            else:
                runs.append({"font": [face.file, face.index], "text": character})
        return runs

    def _developed(self, picture: Picture) -> Path:
        """The picture as the darkroom makes it plain: it may be anybody's."""
        source = self._folder / "picture"
        settings = self._settings.downloading
        if isinstance(picture, str):
            allow, most, seconds = settings.inner_hosts, settings.image_bytes, settings.seconds
            outbound.download(picture, to=source, max_bytes=most, timeout_seconds=seconds, allow=allow)
        else:
            source.write_bytes(picture)
        try:
            stills.develop(source, Workshop(folder=self._folder, threads=1, run=self._run), caps=_PICTURE)
        except MediaError as error:
            raise InvalidRequest(error.message, provider=self.name) from error
        return self._folder / stills.FILE
