"""Drafts as people send them: alone, or packed with their media."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment

PLACEHOLDER = "##_draftpath_placeholder_0E685133-18CE-45ED-8CB8-2904A212EC80_##"


def reel(*paths: str, width: int = 160, height: int = 90, seconds: float = 1, **says: Any) -> dict[str, Any]:
    """A draft that shows these files one after the other."""
    paper = Paper(canvas_config={"width": width, "height": height}, fps=10.0, name="Ferien", **says)
    length = round(seconds * SECOND)
    paper.track("video", *(segment(paper.video(path), n * length, length) for n, path in enumerate(paths)))
    return paper.document()


def packed(draft: Any, *, folder: str = "", name: str = "draft_content.json", **files: Path | bytes) -> bytes:
    """A zip of a draft and files; two underscores in a name are a slash, one is a dot."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder}{name}", draft if isinstance(draft, bytes) else json.dumps(draft))
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            archive.writestr(folder + name.replace("__", "/").replace("_", "."), data)
    return stream.getvalue()


def send(api: APIClient, data: bytes, name: str = "draft.zip", key: str = "", **said: Any) -> Any:
    """Post a file in a form."""
    headers = {"Idempotency-Key": key} if key else {}
    form = {"file": SimpleUploadedFile(name, data), **said}
    return api.post("/api/drafts/", form, format="multipart", headers=headers)


def say(api: APIClient, key: str = "", **said: Any) -> Any:
    """Post JSON."""
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/api/drafts/", json.dumps(said), content_type="application/json", headers=headers)
