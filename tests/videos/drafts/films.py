"""Drafts that are sent with their files and rendered, and what is seen and heard in their films."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pyJianYingDraft import ScriptFile
from rest_framework.test import APIClient

from jobs.testing import run
from tests.builders import make_user
from tests.videos.drafts.parcels import PLACEHOLDER, send
from tests.videos.timeline import reels, waves
from tests.videos.timeline.capcut.drafts import Paper
from tests.videos.timeline.reels import Array
from videos import storage
from videos.models import Draft

WINDOWS = "C:\\Users\\我\\Movies\\"
BESIDE = f"{PLACEHOLDER}/media/"


@dataclass(frozen=True)
class Made:
    """A film of a draft."""

    path: Path
    size: tuple[int, int]
    seconds: float
    report: Sequence[Mapping[str, str]]

    @cached_property
    def frames(self) -> Array:
        """All of them, as red, green and blue."""
        return reels.pictures(self.path, size=self.size, form="rgb24")

    @cached_property
    def sound(self) -> Array:
        return waves.heard(self.path)

    @property
    def codes(self) -> list[str]:
        return [one["code"] for one in self.report]


def film(draft: Paper | ScriptFile | dict[str, Any], *files: Path, home: str = WINDOWS) -> Made:
    """What becomes of a draft that is packed with its files. `home`: the folder that it says they are in."""
    client = APIClient()
    client.force_authenticate(make_user())
    document = written(draft)
    for material in (one for sort in ("videos", "audios") for one in document["materials"].get(sort, ())):
        if material.get("path"):
            material["path"] = home + Path(material["path"]).name
    answer = send(client, packed(document, files))
    assert answer.status_code == 202, answer.content
    job = run(answer.json()["job"]["id"])
    assert job.status == "completed", (job.error_code, job.error_message)
    row = Draft.objects.get(job=job)
    said = document["canvas_config"]
    assert row.missing == []
    assert row.duration is not None
    return Made(
        path=storage.path_of(row.file),
        size=(said["width"], said["height"]),
        seconds=row.duration,
        report=row.report,
    )


def written(draft: Paper | ScriptFile | dict[str, Any]) -> dict[str, Any]:
    if isinstance(draft, ScriptFile):
        document: dict[str, Any] = json.loads(draft.dumps())
        return document
    return draft.document() if isinstance(draft, Paper) else copy.deepcopy(draft)


def packed(document: dict[str, Any], files: Sequence[Path]) -> bytes:
    """The draft's folder, as people pack it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("旅行/draft_content.json", json.dumps(document))
        for file in files:
            archive.write(file, f"旅行/media/{file.name}")
    return stream.getvalue()


def level(wave: Array, hertz: float, moment: float, *, seconds: float = 0.1) -> float:
    """How loud a tone is about a moment: its amplitude."""
    first = round((moment - seconds / 2) * waves.RATE)
    part = wave[first : first + round(seconds * waves.RATE)]
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / waves.RATE) * np.hanning(len(part))
    return float(2 * abs((part * turns).sum()) / np.hanning(len(part)).sum())


def pitch(wave: Array, begin: float, end: float) -> float:
    """The loudest tone in a stretch of time; 0: there is silence."""
    part = wave[round(begin * waves.RATE) : round(end * waves.RATE)]
    if np.abs(part).max() < 0.003:
        return 0.0
    strengths = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 18))
    return float(strengths.argmax() * waves.RATE / (1 << 18))
