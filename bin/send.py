"""Sends a video to Jointo by its API as a browser would, follows its job, and checks that the outcome plays.

The exit status is 0 if the video can be played.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

_FINISHED = {"completed", "failed", "cancelled"}
_QUIET_SECONDS = 60.0  # longer than the server lets a stream of events be silent
_POLL_SECONDS = 1.0
_BLOCK = 2**20


class Refused(Exception):
    """The server said no: its code and sentence."""

    def __init__(self, status: int, body: bytes) -> None:
        try:
            error = json.loads(body)["error"]
            sentence = f"{error['message']} ({error['code']}) {error.get('details') or ''}".strip()
        except (ValueError, KeyError, TypeError):
            sentence = body[:200].decode(errors="replace") or "no reason given"
        super().__init__(f"{status}: {sentence}")
        self.status = status


class Unplayable(Exception):
    """The video did not become what a player needs."""


@dataclass(frozen=True)
class Answer:
    """A reply that was read whole."""

    status: int
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Api:
    """The server, signed in. An access token that has run out is exchanged quietly."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url = url
        self._credentials = {"username": user, "password": password}
        self._access = ""

    def sign_in(self) -> None:
        self._access = ""
        self._access = self.post("/api/auth/token/", self._credentials).json["access"]

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, data: Mapping[str, Any]) -> Answer:
        return self._ask("POST", path, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def put_json(self, path: str, data: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        return self._ask("PUT", path, json.dumps(data).encode(), {"Content-Type": "application/json", **headers})

    def put(self, path: str, data: bytes, headers: Mapping[str, str]) -> Answer:
        return self._ask("PUT", path, data, {"Content-Type": "application/octet-stream", **headers})

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """The data of the server-sent events named `job`. OSError if the stream breaks."""
        request = self._request("GET", path, None, {"Accept": "text/event-stream"})
        with urllib.request.urlopen(request, timeout=_QUIET_SECONDS) as stream:
            name = ""
            for line in (raw.decode().rstrip("\r\n") for raw in stream):
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "job":
                    yield json.loads(value)

    def _ask(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            return self._send(method, path, data, headers)
        except Refused as refused:
            if refused.status != 401 or not self._access:
                raise
        self.sign_in()
        return self._send(method, path, data, headers)

    def _send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            with urllib.request.urlopen(self._request(method, path, data, headers), timeout=_QUIET_SECONDS) as reply:
                return Answer(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read()) from None

    def _request(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> urllib.request.Request:
        signed = {"Authorization": f"Bearer {self._access}"} if self._access else {}
        return urllib.request.Request(urljoin(self.url, path), data, {**signed, **headers}, method=method)


class Bar:
    """Progress: one line that moves on a terminal, else a line for every quarter."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._shown: tuple[str, int] | None = None

    def show(self, what: str, percent: int) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns
            filled = "█" * (percent * 30 // 100)
            print("\r" + f"{filled:░<30} {percent:3d} %  {what}"[: width - 1] + "\x1b[K", end="", flush=True)
        elif self._shown != (what, percent // 25):
            print(f"{percent:3d} %  {what}", flush=True)
        self._shown = (what, percent // 25)

    def end(self) -> None:
        if self._live and self._shown:
            print(flush=True)
        self._shown = None


def upload(api: Api, file: Path, bar: Bar) -> int:
    """Send a file by chunks, those that the server does not have. The id of the video."""
    size, name = file.stat().st_size, file.name
    file_hash = f"sha256:{_sha256(file)}"
    wish = {"file_name": name, "file_size": size, "purpose": "video", "file_hash": file_hash}
    begun = api.post("/api/videos/uploads/", {**wish, "last_modified": int(file.stat().st_mtime * 1000)}).json
    if begun.get("instant"):
        print(f"{name} is known already: nothing has to be sent.", flush=True)
        return int(begun["video"]["id"])
    there = {index for first, last in begun["received"] for index in range(first, last + 1)}
    with file.open("rb") as opened:
        for index in range(begun["chunks_total"]):
            bar.show(f"Sending {name}", index * 100 // begun["chunks_total"])
            if index not in there:
                opened.seek(index * begun["chunk_size"])
                data = opened.read(begun["chunk_size"])
                digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
                headers = {"Upload-Token": begun["token"], "Content-Digest": f"sha-256=:{digest}:"}
                api.put(f"/api/videos/uploads/{begun['id']}/chunks/{index}/", data, headers)
    bar.show(f"Sending {name}", 100)
    bar.end()
    whole = {
        "upload_id": begun["id"],
        "file_name": name,
        "chunks_total": begun["chunks_total"],
        "file_hash": file_hash,
    }
    return int(api.post("/api/videos/merge-chunks/", whole).json["video"]["id"])


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def follow(api: Api, job_id: str) -> Iterator[dict[str, Any]]:
    """The job as it changes, until it has ended: live, or by asking when the live stream breaks."""
    status = ""
    try:
        for job in api.events(f"/api/jobs/{job_id}/events/"):
            status = job["status"]
            yield job
    except (OSError, ValueError):
        pass
    while status not in _FINISHED:
        time.sleep(_POLL_SECONDS)
        job = api.get(f"/api/jobs/{job_id}/").json
        status = job["status"]
        yield job


def watch(api: Api, video_id: int, bar: Bar) -> dict[str, Any]:
    """The video, once its job has ended. Raises Unplayable if it can't be played then."""
    video = api.get(f"/api/videos/{video_id}/").json
    if video["status"] == "processing" and video["job"]:
        for job in follow(api, video["job"]["id"]):
            bar.show(job["message"] or job["status"].capitalize(), job["percent"])
        bar.end()
        video = api.get(f"/api/videos/{video_id}/").json
    if video["status"] != "ready":
        error = video["error"] or {"code": video["status"], "message": "It was not processed."}
        raise Unplayable(f"{error['message']} ({error['code']})")
    return video


def check(api: Api, video: dict[str, Any]) -> None:
    """Fetch what a player fetches: playlists, a piece by its range, a progressive file. Raises Unplayable."""
    master = api.get(video["playlist_url"]).body.decode()
    playlists = [line for line in master.splitlines() if line and not line.startswith("#")]
    if len(playlists) != len(video["renditions"]):
        raise Unplayable("The master playlist does not list every rendition.")
    address = urljoin(video["playlist_url"], playlists[0])
    playlist = api.get(address).body.decode()
    piece = re.search(r"^#EXT-X-BYTERANGE:(\d+)@(\d+)\n(?:#.*\n)*([^#\n]+)", playlist, re.MULTILINE)
    if piece is None or "#EXT-X-ENDLIST" not in playlist:
        raise Unplayable("A rendition's playlist has no pieces, or no end.")
    length, offset = int(piece[1]), int(piece[2])
    _check_range(api, urljoin(address, piece[3]), offset, length)
    for rendition in video["renditions"]:
        _check_range(api, rendition["url"], 0, min(_BLOCK, rendition["bytes"] // 2))


def _check_range(api: Api, address: str, offset: int, length: int) -> None:
    answer = api.get(address, Range=f"bytes={offset}-{offset + length - 1}")
    if (answer.status, len(answer.body)) != (206, length):
        raise Unplayable(f"{address}: {answer.status} with {len(answer.body)} bytes, instead of 206 with {length}.")


def describe(api: Api, video: dict[str, Any]) -> None:
    """Print what came out, and where it plays."""
    print(f"{video['title']}: {video['width']}x{video['height']}, {video['duration']:.1f} s, ready to play")
    for rendition in video["renditions"]:
        size = f"{rendition['width']}x{rendition['height']}"
        print(f"  {rendition['name']:<8} {size:>10} {rendition['bytes']:>13,} bytes")
    print(f"Plays at    {api.url}/videos/{video['id']}/", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    wanted = parser.parse_args()
    api, bar = Api(wanted.url, user=wanted.user, password=wanted.password_file.read_text().strip()), Bar()
    try:
        api.sign_in()
        video = watch(api, upload(api, wanted.file, bar), bar)
        check(api, video)
    except (Refused, Unplayable, OSError) as error:
        bar.end()
        print(f"{wanted.file.name}: not playable: {error}", file=sys.stderr)
        return 1
    describe(api, video)
    return 0


if __name__ == "__main__":
    sys.exit(main())
