"""Sends a file as a program does: over real HTTP, by the chunk protocol."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx


class Client:
    """A user's session with the API."""

    def __init__(self, address: str, username: str, password: str = "secret") -> None:
        self.http = httpx.Client(base_url=address, timeout=30)
        tokens = self.http.post("/api/auth/token/", json={"username": username, "password": password}).json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access']}"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def begin(self, path: Path, **more: Any) -> dict[str, Any]:
        wish = {"file_name": path.name, "file_size": path.stat().st_size, **more}
        answer = self.http.post("/api/videos/uploads/", json=wish)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def put(self, upload: dict[str, Any], index: int, data: bytes, **headers: str) -> httpx.Response:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return self.http.put(
            f"/api/videos/uploads/{upload['id']}/chunks/{index}/",
            content=data,
            headers={"Upload-Token": upload["token"], "Content-Digest": f"sha-256=:{digest}:", **headers},
        )

    def merge(self, upload: dict[str, Any], **more: Any) -> httpx.Response:
        said = {"upload_id": upload["id"], "chunks_total": upload["chunks_total"], **more}
        return self.http.post("/api/videos/merge-chunks/", json=said)

    def send(self, path: Path, **more: Any) -> dict[str, Any]:
        """All of it, in order; the answer to the merge."""
        upload = self.begin(path, **more)
        data, size = path.read_bytes(), upload["chunk_size"]
        for index in range(upload["chunks_total"]):
            answer = self.put(upload, index, data[index * size : (index + 1) * size])
            assert answer.status_code == 204, answer.text
        merged = self.merge(upload, file_name=path.name)
        assert merged.status_code == 202, merged.text
        return dict(merged.json())

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.http.get(f"/api/jobs/{job_id}/").json())
