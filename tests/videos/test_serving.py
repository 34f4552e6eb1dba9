"""Published files: to their owner alone, whole or in ranges, and nothing else of the disk."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import AsyncClient, Client
from rest_framework_simplejwt.tokens import AccessToken

from tests.builders import make_user
from videos import storage
from videos.models import Video

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_files")]

DATA = bytes(range(256)) * 4
SIZE = len(DATA)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def folder(ann: User) -> str:
    """The address of a folder with published files of ann's."""
    video = Video.objects.create(owner=ann, title="clip", source_size=1)
    name = f"videos/{video.pk}/job-1"
    storage.path_of(name).mkdir(parents=True)
    for file in ("360p.mp4", "master.m3u8", "360p.m4s", "poster.jpg", "odd", "page.html"):
        (storage.path_of(name) / file).write_bytes(DATA)
    (storage.path_of(name) / "empty.mp4").touch()
    (storage.path_of(name) / "link.mp4").symlink_to("/etc/passwd")
    Video.objects.filter(pk=video.pk).update(folder=name, playlist="master.m3u8")
    return f"/media/{name}"


def ask(user: User | None, address: str, *, method: str = "GET", **headers: str) -> tuple[HttpResponseBase, bytes]:
    """The answer, and its whole body."""

    async def go() -> tuple[HttpResponseBase, bytes]:
        client = AsyncClient()
        if user:
            await client.aforce_login(user)
        answer: Any = await client.generic(method, address, headers=headers)
        body = b"".join([piece async for piece in answer.streaming_content]) if answer.streaming else answer.content
        return answer, body

    return asyncio.run(go())


def test_the_owner_gets_the_file_with_headers_that_hold_a_browser_in_check(ann: User, folder: str) -> None:
    answer, body = ask(ann, f"{folder}/360p.mp4")
    assert (answer.status_code, body) == (200, DATA)
    headers = {name: answer.headers[name] for name in ("Content-Length", "Accept-Ranges", "X-Content-Type-Options")}
    assert headers == {"Content-Length": str(SIZE), "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    assert "private" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("360p.mp4", "video/mp4"),
        ("360p.m4s", "video/iso.segment"),
        ("poster.jpg", "image/jpeg"),
        ("odd", "application/octet-stream"),
    ],
)
def test_every_file_says_what_it_is(ann: User, folder: str, file: str, kind: str) -> None:
    assert ask(ann, f"{folder}/{file}")[0].headers["Content-Type"] == kind


def test_anybody_else_gets_404_as_if_there_were_nothing(ann: User, folder: str) -> None:
    address = f"{folder}/360p.mp4"
    assert ask(None, address)[0].status_code == 404
    assert ask(make_user(), address)[0].status_code == 404
    assert ask(make_user("root", is_staff=True, is_superuser=True), address)[0].status_code == 404
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert ask(ann, address)[0].status_code == 404


def test_an_access_token_opens_a_file_as_a_session_does(ann: User, folder: str) -> None:
    def status(said: str) -> int:
        return ask(None, f"{folder}/360p.mp4", authorization=said)[0].status_code

    assert status(f"Bearer {AccessToken.for_user(ann)}") == 200
    assert status(f"Bearer {AccessToken.for_user(make_user())}") == 404
    assert status("Bearer nonsense") == status("Bearer") == status("Bearer a b") == 404


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-199", 100, 199),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=-24", SIZE - 24, SIZE - 1),
        ("bytes=-99999", 0, SIZE - 1),
        ("bytes=1000-999999", 1000, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
    ],
)
def test_a_range_is_given_as_asked(ann: User, folder: str, wanted: str, first: int, last: int) -> None:
    answer, body = ask(ann, f"{folder}/360p.mp4", range=wanted)
    assert (answer.status_code, body) == (206, DATA[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={10**17}-"])
def test_a_range_beyond_the_end_is_416_and_says_how_long_the_file_is(ann: User, folder: str, wanted: str) -> None:
    answer, body = ask(ann, f"{folder}/360p.mp4", range=wanted)
    assert (answer.status_code, body, answer.headers["Content-Range"]) == (416, b"", f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,5-9",
        "bytes=a-b",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "seconds=0-1",
        "bytes=1-2-3",
        f"bytes={'9' * 30}-",
        "0-5",
    ],
)
def test_a_range_that_can_not_be_read_or_is_several_gives_the_whole_file(ann: User, folder: str, wanted: str) -> None:
    answer, body = ask(ann, f"{folder}/360p.mp4", range=wanted)
    assert (answer.status_code, body) == (200, DATA)
    assert "Content-Range" not in answer.headers


def test_a_range_of_a_file_that_has_changed_is_the_whole_file(ann: User, folder: str) -> None:
    address = f"{folder}/360p.mp4"
    known = ask(ann, address)[0].headers

    def status(condition: str) -> int:
        return ask(ann, address, range="bytes=0-9", **{"if-range": condition})[0].status_code

    assert status(known["ETag"]) == status(known["Last-Modified"]) == 206
    assert status('"another"') == status(formatdate(0, usegmt=True)) == status("nonsense") == 200


def test_what_the_browser_has_is_not_sent_again(ann: User, folder: str) -> None:
    tag = ask(ann, f"{folder}/360p.mp4")[0].headers["ETag"]
    answer, body = ask(ann, f"{folder}/360p.mp4", **{"if-none-match": tag})
    assert (answer.status_code, body, answer.headers["ETag"]) == (304, b"", tag)
    for known in (f"W/{tag}", f'"another", {tag}', "*"):
        assert ask(ann, f"{folder}/360p.mp4", **{"if-none-match": known})[0].status_code == 304
    assert ask(ann, f"{folder}/360p.mp4", **{"if-none-match": '"another"'})[0].status_code == 200


def test_head_says_the_same_without_the_bytes(ann: User, folder: str) -> None:
    address = f"{folder}/360p.mp4"
    answer, body = ask(ann, address, method="HEAD")
    assert (answer.status_code, body, answer.headers["Content-Length"]) == (200, b"", str(SIZE))
    assert answer.headers["ETag"] == ask(ann, address)[0].headers["ETag"]
    answer, _ = ask(ann, address, method="HEAD", range="bytes=0-9")
    assert (answer.status_code, answer.headers["Content-Length"]) == (206, "10")
    assert ask(ann, address, method="POST")[0].status_code == 405


def test_an_empty_file_is_empty(ann: User, folder: str) -> None:
    answer, body = ask(ann, f"{folder}/empty.mp4")
    assert (answer.status_code, body, answer.headers["Content-Length"]) == (200, b"", "0")
    assert ask(ann, f"{folder}/empty.mp4", range="bytes=0-")[0].status_code == 416


@pytest.mark.parametrize(
    "file",
    [
        *("..", "%2e%2e", "..%2f..%2fsecret", "%2e%2e/%2e%2e/secret", "../../secret", "/etc/passwd", "%2fetc%2fpasswd"),
        *("..%5csecret", "%00", "360p.mp4%00", "link.mp4", "", ".", "nothing.mp4", "x" * 300, "%ff%fe", "%252e%252e"),
    ],
)
def test_nothing_but_the_published_files_can_be_had(ann: User, folder: str, file: str) -> None:
    (Path(storage.path_of("secret"))).write_text("secret")
    answer, body = ask(ann, f"{folder}/{file}")
    assert answer.status_code == 404, file
    assert b"secret" not in body
    assert b"root:" not in body


def test_a_folder_that_the_row_does_not_name_is_not_served(ann: User, folder: str) -> None:
    other = storage.path_of(folder.removeprefix("/media/")).with_name("job-2")
    other.mkdir()
    (other / "360p.mp4").write_bytes(DATA)
    assert ask(ann, f"{folder.removesuffix('job-1')}job-2/360p.mp4")[0].status_code == 404
    assert ask(ann, "/media/videos/uploads/2026/01/01/x.mp4")[0].status_code == 404
    assert ask(ann, f"/media/videos/{'9' * 30}/job-1/360p.mp4")[0].status_code == 404


def test_an_ordinary_client_that_is_not_asynchronous_gets_its_404_too() -> None:
    assert Client().get("/media/videos/1/x/y").status_code == 404
