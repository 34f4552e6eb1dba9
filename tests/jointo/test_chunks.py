"""Chunks by the quick way in, over a real server: the same answers as by Django's."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.builders import make_user
from tests.stack import Stack
from tests.videos.client import Client
from videos.models import Upload
from videos.uploads import sessions

CHUNK = settings.JOINTO_VIDEOS.chunk_bytes
DATA = os.urandom(2 * CHUNK + 100)

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_files")]


def code(answer: httpx.Response) -> tuple[int, str]:
    error: dict[str, Any] = answer.json()["error"]
    assert error["message"].endswith(".")
    return answer.status_code, error["code"]


def test_the_quick_way_in_answers_as_the_other_does(stack: Stack, tmp_path: Path) -> None:
    make_user("ann")
    make_user("bob")
    _, address = stack.web()
    file = tmp_path / "clip.mp4"
    file.write_bytes(DATA)
    with Client(address, "ann") as ann, Client(address, "bob") as bob, httpx.Client(base_url=address) as nobody:
        mine, theirs = ann.begin(file), bob.begin(file)
        chunks = f"/api/videos/uploads/{mine['id']}/chunks"
        token = {"Upload-Token": mine["token"]}

        def put(index: int, data: bytes, **headers: str) -> httpx.Response:
            return nobody.put(f"{chunks}/{index}/", content=data, headers={**token, **headers})

        assert code(put(0, DATA[:CHUNK], **{"Upload-Token": "forged"})) == (401, "upload_token_invalid")
        assert code(put(0, DATA[:CHUNK], **{"Upload-Token": theirs["token"]})) == (404, "not_found")
        assert code(nobody.put(f"{chunks}/0/", content=DATA[:CHUNK])) == (401, "not_authenticated")
        assert code(put(3, b"x")) == (416, "chunk_out_of_range")
        assert code(put(0, DATA[: CHUNK - 1])) == (400, "chunk_size_wrong")
        assert code(put(0, b"")) == (400, "chunk_size_wrong")
        assert code(put(0, DATA[: CHUNK + 1])) == (413, "chunk_too_large")
        assert code(put(0, bytes(3 * CHUNK))) == (413, "body_too_large")
        assert code(put(0, DATA[:CHUNK], **{"Content-MD5": "AAAA"})) == (400, "digest_malformed")
        assert code(ann.put(mine, 0, DATA[:CHUNK], **{"Content-Digest": "sha-256=:" + "A" * 43 + "=:"})) == (
            422,
            "checksum_mismatch",
        )
        assert not Upload.objects.get(pk=mine["id"]).chunks.exists()
        # Without a length it is Django's; with one, ours: both write the same.
        pieces = (DATA[place : place + 1024] for place in range(0, CHUNK, 1024))
        assert nobody.put(f"{chunks}/0/", content=pieces, headers=token).status_code == 204
        assert put(0, DATA[:CHUNK]).status_code == 204
        assert code(put(0, bytes(CHUNK))) == (409, "chunk_conflict")
        assert put(2, DATA[2 * CHUNK :]).status_code == 204
        assert put(1, DATA[CHUNK : 2 * CHUNK]).status_code == 204
        assert sessions.path_of(uuid.UUID(mine["id"])).read_bytes() == DATA
        assert ann.merge(mine).status_code == 202
        assert code(put(0, DATA[:CHUNK])) == (409, "upload_finished")


def test_a_chunk_that_breaks_off_leaves_no_trace(stack: Stack, tmp_path: Path) -> None:
    make_user("ann")
    web, address = stack.web()
    file = tmp_path / "clip.mp4"
    file.write_bytes(DATA)

    def half() -> Any:
        yield DATA[: CHUNK // 2]
        raise RuntimeError("the line is gone")

    with Client(address, "ann") as ann:
        upload = ann.begin(file)
        headers = {"Upload-Token": upload["token"], "Content-Length": str(CHUNK)}
        with pytest.raises(RuntimeError, match="line is gone"):
            ann.http.put(f"/api/videos/uploads/{upload['id']}/chunks/0/", content=half(), headers=headers)
        assert ann.http.get(f"/api/videos/uploads/{upload['id']}/").json()["received"] == []
        assert ann.put(upload, 0, DATA[:CHUNK]).status_code == 204
    assert "Traceback" not in web.text()
