"""The chunk protocol: begin, resume, write, merge, and everything that can be wrong with them."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import OperationalError, connection
from django.test import override_settings
from rest_framework.test import APIClient

from jobs.models import Job
from tests.builders import make_user
from tests.files import files_under
from tests.stack import wait_for
from tests.videos.test_videos_api import Meanwhile, run
from videos import errors, tasks
from videos.models import Upload, Video
from videos.uploads import parts, rolling, sessions

CHUNK = settings.JOINTO_VIDEOS.chunk_bytes
DATA = os.urandom(2 * CHUNK + 100)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_files")]


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def begin(api: APIClient, **wish: Any) -> Any:
    answer = api.post("/api/videos/uploads/", {"file_name": "clip.mp4", "file_size": len(DATA), **wish})
    return answer


def begun(api: APIClient, **wish: Any) -> dict[str, Any]:
    answer = begin(api, **wish)
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def put(api: APIClient, upload: dict[str, Any], index: int, data: bytes | None = None, headers: Any = None) -> Any:
    data = piece(index) if data is None else data
    address = f"/api/videos/uploads/{upload['id']}/chunks/{index}/"
    return api.put(address, data, content_type="application/octet-stream", headers=headers or {})


def piece(index: int) -> bytes:
    return DATA[index * CHUNK : (index + 1) * CHUNK]


def merge(api: APIClient, upload: dict[str, Any], **more: Any) -> Any:
    return api.post("/api/videos/merge-chunks/", {"upload_id": upload["id"], "file_name": "clip.mp4", **more})


def sent(api: APIClient, **wish: Any) -> dict[str, Any]:
    upload = begun(api, **wish)
    for index in range(3):
        assert put(api, upload, index).status_code == 204
    return upload


def code(answer: Any) -> tuple[int, str]:
    """Status and code of an error; that it has a sentence is checked on the way."""
    error = answer.json()["error"]
    assert error["message"].endswith("."), error
    return answer.status_code, error["code"]


def files_left() -> list[str]:
    return [path.name for path in files_under(settings.UPLOADS_DIR, settings.MEDIA_ROOT)]


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def md5(data: bytes) -> str:
    return f"md5:{hashlib.md5(data).hexdigest()}"


@contextmanager
def busy(upload: dict[str, Any]) -> Iterator[Callable[[int], None]]:
    """Holds the upload's file, as who writes or merges does; yields what waits until so many others want it."""
    part = sessions.path_of(uuid.UUID(upload["id"]))
    file = os.open(part, os.O_RDWR)
    parts.lock(file)

    def openings() -> int:
        count = 0
        for link in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                count += link.readlink() == part
        return count

    def until_wanted_by(others: int) -> None:
        wait_for(lambda: openings() == others + 1, what=f"{others} that want the file")

    try:
        yield until_wanted_by
    finally:
        os.close(file)


def apart(call: Callable[[], Any]) -> Any:
    """A request from a thread of its own, with a connection that ends with it."""
    try:
        return call()
    finally:
        connection.close()


# -- how it is meant to go -------------------------------------------------------------------------------


def test_chunks_in_any_order_and_twice_become_one_file(api: APIClient) -> None:
    upload = begun(api)
    assert (upload["chunk_size"], upload["chunks_total"], upload["received"]) == (CHUNK, 3, [])
    for index in (2, 0, 2, 1, 0):
        assert put(api, upload, index).status_code == 204
    answer = merge(api, upload)
    assert answer.status_code == 202, answer.json()
    video = Video.objects.get(pk=answer.json()["video"]["id"])
    assert (Path(settings.MEDIA_ROOT) / video.source).read_bytes() == DATA
    assert answer.json()["video"]["title"] == "clip"
    assert answer.json()["job"]["status"] == "pending"
    assert str(video.job_id) == answer.json()["job"]["id"]


def test_all_chunks_at_once_in_parallel_become_one_file(api: APIClient, ann: User) -> None:
    upload = Upload.objects.get(pk=begun(api)["id"])

    def write(index: int) -> None:
        try:
            sessions.write(upload, index % 3, piece(index % 3), {})
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(12)))
    video = sessions.complete(upload, title="clip", start=tasks.start, hashes=[sha256(DATA)])
    assert (Path(settings.MEDIA_ROOT) / video.source).read_bytes() == DATA


def test_two_writers_with_different_bytes_leave_one_whole_chunk(api: APIClient) -> None:
    upload = Upload.objects.get(pk=begun(api)["id"])
    others = [bytes([number]) * CHUNK for number in range(6)]

    def write(data: bytes) -> str:
        try:
            sessions.write(upload, 0, data, {})
        except errors.ChunkConflict:
            return "refused"
        finally:
            connection.close()
        return "written"

    with ThreadPoolExecutor(6) as threads:
        said = list(threads.map(write, others))
    assert sorted(said) == ["refused"] * 5 + ["written"]
    assert sessions.path_of(upload.pk).read_bytes()[:CHUNK] == others[said.index("written")]


def test_merging_copies_nothing(api: APIClient) -> None:
    upload = sent(api)
    before = sessions.path_of(uuid.UUID(upload["id"])).stat().st_ino
    video = Video.objects.get(pk=merge(api, upload).json()["video"]["id"])
    assert (Path(settings.MEDIA_ROOT) / video.source).stat().st_ino == before


def test_merging_twice_gives_the_same_answer_and_one_job(api: APIClient) -> None:
    upload = sent(api)
    first, second = merge(api, upload), merge(api, upload)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["video"]["id"] == second.json()["video"]["id"]
    assert (Video.objects.count(), Job.objects.count()) == (1, 1)


def test_merging_twice_at_once_makes_one_video(api: APIClient) -> None:
    upload = sent(api)

    def complete(_: int) -> int:
        try:
            return int(sessions.complete(Upload.objects.get(pk=upload["id"]), title="clip", start=tasks.start).pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(complete, range(4)))
    assert len(made) == 1
    assert len(files_left()) == 1
    assert Job.objects.count() == 1


def test_an_unfinished_upload_of_the_same_file_is_continued(api: APIClient) -> None:
    upload = begun(api, last_modified=1700000000000)
    put(api, upload, 1)
    again = begin(api, last_modified=1700000000000)
    assert (again.status_code, again.json()["id"], again.json()["received"]) == (200, upload["id"], [[1, 1]])
    assert begun(api, last_modified=5)["id"] != upload["id"]
    by_hash = begun(api, file_hash=sha256(DATA), file_name="other.mp4")
    assert begin(api, file_hash=sha256(DATA), file_name="renamed.mp4").json()["id"] == by_hash["id"]


def test_a_file_that_is_begun_four_times_at_once_is_one_upload(ann: User) -> None:
    together = Barrier(4)

    def begin_too(file_hash: str) -> tuple[int, str]:
        try:
            client = APIClient()
            client.force_authenticate(ann)
            together.wait()
            answer = begin(client, file_hash=file_hash)
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        for number in range(5):
            said = list(threads.map(begin_too, [sha256(bytes(number))] * 4))
            assert sorted(status for status, _ in said) == [200, 200, 200, 201]
            assert len({upload_id for _, upload_id in said}) == 1


def test_an_upload_that_is_given_up_while_it_is_resumed_is_begun_anew(api: APIClient) -> None:
    upload = begun(api)
    meanwhile = Meanwhile('UPDATE "videos_upload"', lambda: sessions.abort(Upload.objects.get(pk=upload["id"])))
    with connection.execute_wrapper(meanwhile):
        answer = begin(api)
    assert meanwhile.done
    assert answer.status_code == 201, answer.json()
    assert answer.json()["id"] != upload["id"]
    assert put(api, answer.json(), 0).status_code == 204


def test_an_upload_that_is_merged_while_it_is_resumed_keeps_the_hash_that_it_was_merged_with(api: APIClient) -> None:
    upload = sent(api)

    def merged() -> None:
        assert merge(api, upload, file_hash=sha256(DATA)).status_code == 202

    meanwhile = Meanwhile('UPDATE "videos_upload"', merged)
    with connection.execute_wrapper(meanwhile):
        answer = begin(api, file_hash=sha256(b"something else"))
    assert meanwhile.done
    assert answer.status_code == 201, answer.json()
    assert Upload.objects.get(pk=upload["id"]).file_hash == sha256(DATA)


def test_an_upload_that_began_without_a_hash_learns_it_later(api: APIClient) -> None:
    upload = begun(api, last_modified=7)
    again = begin(api, last_modified=7, file_hash=sha256(DATA))
    assert (again.status_code, again.json()["id"]) == (200, upload["id"])
    assert Upload.objects.get().file_hash == sha256(DATA)


def test_content_that_the_user_has_is_there_at_once_and_nobody_elses(api: APIClient, ann: User) -> None:
    video = Video.objects.create(
        owner=ann, title="t", source_size=len(DATA), sha256=sha256(DATA)[7:], folder="videos/1/x", playlist="m"
    )
    answer = begin(api, file_hash=sha256(DATA))
    assert (answer.status_code, answer.json()["instant"], answer.json()["video"]["id"]) == (200, True, video.pk)
    bob = APIClient()
    bob.force_authenticate(make_user())
    assert begin(bob, file_hash=sha256(DATA)).status_code == 201


def test_the_token_of_an_upload_opens_it_without_a_sign_in(api: APIClient) -> None:
    upload, other = begun(api), begun(api, file_name="other.mp4")
    nobody = APIClient()
    headers = {"Upload-Token": upload["token"]}
    for index in range(3):
        assert put(nobody, upload, index, headers=headers).status_code == 204
    assert code(put(nobody, other, 0, headers=headers)) == (404, "not_found")
    assert code(put(nobody, upload, 0)) == (401, "not_authenticated")
    said = {"upload_id": upload["id"]}
    assert nobody.post("/api/videos/merge-chunks/", said, headers=headers).status_code == 202


def test_digests_of_a_chunk_are_checked(api: APIClient) -> None:
    upload = begun(api)
    right = base64.b64encode(hashlib.sha256(piece(0)).digest()).decode()
    assert put(api, upload, 0, headers={"Content-Digest": f"sha-512=:AAAA:, sha-256=:{right}:"}).status_code == 204
    md5 = base64.b64encode(hashlib.md5(piece(1)).digest()).decode()
    assert put(api, upload, 1, headers={"Content-MD5": md5}).status_code == 204
    assert code(put(api, upload, 2, headers={"Content-Digest": f"sha-256=:{right}:"})) == (422, "checksum_mismatch")
    assert code(put(api, upload, 2, headers={"Content-Digest": "nonsense"})) == (400, "digest_malformed")
    assert code(put(api, upload, 2, headers={"Content-MD5": "AAAA"})) == (400, "digest_malformed")
    assert begin(api).json()["received"] == [[0, 1]]


def test_an_upload_that_is_given_up_leaves_nothing(api: APIClient) -> None:
    upload = begun(api)
    put(api, upload, 0)
    assert api.delete(f"/api/videos/uploads/{upload['id']}/").status_code == 204
    assert not files_left()
    assert code(put(api, upload, 1)) == (404, "not_found")


# -- what can be wrong -----------------------------------------------------------------------------------


def test_a_missing_chunk_is_named(api: APIClient) -> None:
    upload = begun(api)
    put(api, upload, 1)
    answer = merge(api, upload)
    assert code(answer) == (409, "chunk_missing")
    assert answer.json()["error"]["details"] == {"missing": [[0, 0], [2, 2]]}


@pytest.mark.parametrize("index", [3, 2**40, 10**30])
def test_a_chunk_out_of_range_is_refused(api: APIClient, index: int) -> None:
    assert code(put(api, begun(api), index, b"x"))[1] in ("chunk_out_of_range", "not_found")


def test_chunks_of_a_wrong_size_are_refused(api: APIClient) -> None:
    upload = begun(api)
    assert code(put(api, upload, 0, DATA[: CHUNK + 1])) == (413, "chunk_too_large")
    assert code(put(api, upload, 0, DATA[: CHUNK - 1])) == (400, "chunk_size_wrong")
    assert code(put(api, upload, 0, b"")) == (400, "chunk_size_wrong")
    assert code(put(api, upload, 2, DATA[:CHUNK])) == (413, "chunk_too_large")


def test_other_bytes_for_a_chunk_that_is_there_are_refused_and_change_nothing(api: APIClient) -> None:
    upload = begun(api)
    put(api, upload, 0)
    assert code(put(api, upload, 0, bytes(CHUNK))) == (409, "chunk_conflict")
    assert sessions.path_of(uuid.UUID(upload["id"])).read_bytes()[:CHUNK] == piece(0)


def test_a_wrong_hash_is_known_at_the_merge_when_the_bytes_came_in_order(api: APIClient) -> None:
    upload = sent(api, file_hash=sha256(b"something else"))
    assert code(merge(api, upload)) == (422, "checksum_mismatch")
    assert not files_left()
    assert not Video.objects.exists()


def test_merging_at_once_with_a_hash_known_to_be_wrong_tells_everybody(api: APIClient) -> None:
    upload = sent(api, file_hash=sha256(b"something else"))
    with ThreadPoolExecutor(4) as threads:
        with busy(upload) as until_wanted_by:
            said = [threads.submit(apart, lambda: merge(api, upload)) for _ in range(4)]
            until_wanted_by(4)
        assert [code(answer.result()) for answer in said] == [(422, "checksum_mismatch")] * 4
    assert not files_left()
    assert not Video.objects.exists()


def test_an_upload_that_is_given_up_before_its_merge_begins_is_gone(api: APIClient) -> None:
    upload = sent(api, file_hash=sha256(DATA))
    with ThreadPoolExecutor(1) as threads:
        with busy(upload) as until_wanted_by:
            merged = threads.submit(apart, lambda: merge(api, upload))
            until_wanted_by(1)
            assert api.delete(f"/api/videos/uploads/{upload['id']}/").status_code == 204
        assert code(merged.result()) == (410, "upload_gone")
    assert not files_left()


def test_an_upload_can_not_be_given_up_in_the_middle_of_its_merge(api: APIClient) -> None:
    upload = sent(api)
    with ThreadPoolExecutor(1) as threads:
        given_up: list[Future[Any]] = []

        def give_up() -> None:
            given_up.append(threads.submit(apart, lambda: api.delete(f"/api/videos/uploads/{upload['id']}/")))
            wait(given_up, timeout=1)  # it has the time to do its worst, if nothing keeps it from that

        with connection.execute_wrapper(Meanwhile('SELECT "videos_chunk"."index"', give_up)):
            answer = merge(api, upload)
        assert answer.status_code == 202, answer.json()
        assert code(given_up[0].result()) == (409, "upload_finished")
    source = Video.objects.get().source
    assert (Path(settings.MEDIA_ROOT) / source).read_bytes() == DATA


def test_an_upload_that_somebody_else_gave_up_is_given_up(api: APIClient) -> None:
    upload = Upload.objects.get(pk=begun(api)["id"])
    sessions.abort(upload)
    sessions.abort(upload)
    assert not files_left()


def test_a_chunk_that_comes_as_its_upload_was_merged_hears_so(api: APIClient) -> None:
    upload = sent(api)
    before = Upload.objects.get()
    merge(api, upload)
    with pytest.raises(errors.UploadFinished):
        sessions.write(before, 0, piece(0), {})


NOTHING: dict[str, str] = {}
OTHER = b"something else"


@pytest.mark.parametrize(
    ("wish", "more"),
    [
        ({"file_hash": sha256(OTHER)}, {"file_md5": md5(DATA)[4:]}),
        ({"file_hash": md5(OTHER)}, {"file_hash": sha256(DATA)}),
        ({"file_hash": sha256(DATA)}, {"file_hash": sha256(OTHER)}),
        (NOTHING, {"file_hash": md5(DATA), "file_md5": md5(OTHER)[4:]}),
    ],
)
def test_a_hash_that_is_known_to_be_wrong_is_refused_whatever_others_are_right(
    api: APIClient, wish: dict[str, str], more: dict[str, str]
) -> None:
    assert code(merge(api, sent(api, **wish), **more)) == (422, "checksum_mismatch")
    assert not files_left()


@pytest.mark.parametrize(
    ("wish", "more"),
    [
        (NOTHING, {"file_hash": sha256(DATA), "file_md5": md5(OTHER)[4:]}),
        (NOTHING, {"file_hash": sha256(OTHER), "file_md5": md5(DATA)[4:]}),
        ({"file_hash": sha256(DATA)}, {"file_md5": md5(OTHER)[4:]}),
        ({"file_hash": sha256(OTHER)}, {"file_md5": md5(DATA)[4:]}),
        ({"file_hash": md5(OTHER)}, {"file_hash": sha256(DATA)}),
    ],
)
def test_every_hash_that_was_declared_is_checked_by_the_job(
    api: APIClient, wish: dict[str, str], more: dict[str, str]
) -> None:
    upload = begun(api, **wish)
    for index in (1, 0, 2):
        put(api, upload, index)
    assert merge(api, upload, **more).status_code == 202
    assert isinstance(run(Video.objects.get()), errors.ChecksumMismatch)
    assert not files_left()


def test_an_upload_with_two_hashes_is_found_by_either(api: APIClient) -> None:
    upload = sent(api, file_hash=sha256(DATA))
    video = merge(api, upload, file_md5=md5(DATA)[4:]).json()["video"]
    for said in ({"file_hash": sha256(DATA)}, {"file_md5": md5(DATA)[4:]}, {"file_hash": md5(DATA)}):
        answer = api.post("/api/videos/merge-chunks/", said)
        assert (answer.status_code, answer.json()["video"]["id"]) == (202, video["id"])


def test_a_merge_asked_again_with_another_hash_is_refused_and_the_video_stays(api: APIClient) -> None:
    upload = sent(api, file_hash=sha256(DATA))
    assert merge(api, upload).status_code == 202
    assert code(merge(api, upload, file_hash=sha256(OTHER))) == (422, "checksum_mismatch")
    Video.objects.update(md5=md5(DATA)[4:])  # computed since
    assert code(merge(api, upload, file_md5=md5(OTHER)[4:])) == (422, "checksum_mismatch")
    assert merge(api, upload, file_md5=md5(DATA)[4:]).status_code == 202
    assert (Path(settings.MEDIA_ROOT) / Video.objects.get().source).read_bytes() == DATA


def test_bytes_whose_record_failed_do_not_count_when_the_right_ones_went_to_another_process(api: APIClient) -> None:
    upload = begun(api, file_hash=sha256(DATA))
    put(api, upload, 0)

    def break_off() -> None:
        raise OperationalError

    with connection.execute_wrapper(Meanwhile('INSERT INTO "videos_chunk"', break_off)):
        assert put(api, upload, 1, bytes(CHUNK)).status_code == 503
    with pytest.MonkeyPatch.context() as another_process:
        another_process.setattr(rolling, "add", lambda *_: None)
        assert put(api, upload, 1).status_code == 204
    assert put(api, upload, 2).status_code == 204
    assert merge(api, upload).status_code == 202


def test_a_wrong_hash_of_bytes_out_of_order_is_left_to_the_job(api: APIClient) -> None:
    upload = begun(api, file_hash=sha256(b"something else"))
    for index in (1, 0, 2):
        put(api, upload, index)
    assert merge(api, upload).status_code == 202


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a/b.mp4", "a\\b.mp4", "nul\0byte.mp4", "x" * 300, "", "line\nbreak.mp4", 7.5, None, []],
)
def test_a_name_that_is_none_is_refused(api: APIClient, name: Any) -> None:
    answer = begin(api, file_name=name)
    if name == 7.5:  # a number is a name like any other
        assert answer.status_code == 201
        return
    assert code(answer) == (400, "invalid")
    assert "file_name" in answer.json()["error"]["details"]


@pytest.mark.parametrize("size", [0, -1, 2**63, 1e400, "many", None, True, [], 10**500])
def test_a_size_that_is_none_is_refused(api: APIClient, size: Any) -> None:
    if size == 1e400:
        body = '{"file_name": "a.mp4", "file_size": 1e400}'
        answer = api.post("/api/videos/uploads/", body, content_type="application/json")
    else:
        answer = begin(api, file_size=size)
    assert answer.status_code == 400 or (size is True and answer.status_code == 201), answer.json()


def test_half_a_character_is_no_name(api: APIClient) -> None:
    body = '{"file_name": "\\ud800.mp4", "file_size": 5}'
    assert code(api.post("/api/videos/uploads/", body, content_type="application/json")) == (400, "invalid")


def test_an_empty_file_is_refused_with_its_field(api: APIClient) -> None:
    answer = begin(api, file_size=0)
    assert code(answer) == (400, "invalid")
    assert "file_size" in answer.json()["error"]["message"]


def test_a_file_larger_than_the_site_takes_is_refused(api: APIClient) -> None:
    answer = begin(api, file_size=settings.JOINTO_VIDEOS.max_bytes + 1)
    assert code(answer) == (413, "file_too_large")


@pytest.mark.parametrize("wrong", ["sha256:abc", "crc:1", "sha256", "md5:" + "g" * 32, "x" * 200])
def test_a_hash_that_is_none_is_refused(api: APIClient, wrong: str) -> None:
    assert code(begin(api, file_hash=wrong)) == (400, "invalid")


def test_another_users_things_are_not_there(api: APIClient) -> None:
    upload = sent(api)
    merged = merge(api, upload).json()
    bob = APIClient()
    bob.force_authenticate(make_user())
    assert code(put(bob, upload, 0)) == (404, "not_found")
    assert code(merge(bob, upload)) == (404, "not_found")
    for address in (
        f"/api/videos/uploads/{upload['id']}/",
        f"/api/videos/{merged['video']['id']}/",
        f"/api/jobs/{merged['job']['id']}/",
        f"/api/jobs/{merged['job']['id']}/events/",
        f"/api/tasks/{merged['job']['id']}/status/",
    ):
        assert code(bob.get(address)) == (404, "not_found"), address
    for address in (
        f"/api/videos/{merged['video']['id']}/process/",
        f"/api/videos/{merged['video']['id']}/restore/",
        f"/api/jobs/{merged['job']['id']}/cancel/",
        f"/api/jobs/{merged['job']['id']}/retry/",
    ):
        assert code(bob.post(address)) == (404, "not_found"), address
    assert code(bob.delete(f"/api/videos/{merged['video']['id']}/")) == (404, "not_found")
    assert bob.get("/api/videos/").json()["results"] == []
    assert bob.get("/api/jobs/").json()["results"] == []


def test_an_expired_token_says_so_and_resuming_gives_a_new_one(api: APIClient) -> None:
    upload = begun(api)
    short = override_settings(
        JOINTO_VIDEOS=settings.JOINTO_VIDEOS.__class__(**{**vars(settings.JOINTO_VIDEOS), "token": timedelta(0)})
    )
    with short:
        answer = put(APIClient(), upload, 0, headers={"Upload-Token": upload["token"]})
    assert code(answer) == (401, "upload_token_expired")
    again = begin(api).json()
    assert put(APIClient(), upload, 0, headers={"Upload-Token": again["token"]}).status_code == 204


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", "signed, but for nothing"])
def test_a_forged_token_is_refused(api: APIClient, token: str) -> None:
    if token.startswith("signed"):
        token = signing.TimestampSigner(salt="videos.upload").sign("nope")
    answer = put(APIClient(), begun(api), 0, headers={"Upload-Token": token})
    assert code(answer) == (401, "upload_token_invalid")


@pytest.mark.parametrize(
    "body", ["{", "nonsense", "[" * 100_000, '{"a": ' * 20_000, '"text"', "[1]", "null", "\xff\xfe"]
)
@pytest.mark.parametrize("address", ["/api/videos/uploads/", "/api/videos/merge-chunks/", "/api/auth/token/"])
def test_a_body_that_is_no_json_object_is_refused(api: APIClient, body: str, address: str) -> None:
    answer = api.post(address, body.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert code(answer)[1] in ("malformed_body", "invalid")


def test_a_merge_that_names_no_upload_or_the_wrong_count_is_refused(api: APIClient) -> None:
    upload = sent(api)
    assert code(api.post("/api/videos/merge-chunks/", {})) == (400, "invalid")
    assert code(merge(api, {"id": "not-an-id"})) == (400, "invalid")
    assert code(merge(api, {"id": str(uuid.uuid4())})) == (404, "not_found")
    assert code(merge(api, upload, chunks_total=4)) == (400, "chunks_total_wrong")


def test_a_merge_may_name_the_upload_by_its_hash(api: APIClient) -> None:
    sent(api, file_hash=sha256(DATA))
    answer = api.post("/api/videos/merge-chunks/", {"file_name": "clip.mp4", "file_hash": sha256(DATA)})
    assert answer.status_code == 202


def test_chunks_after_the_merge_are_refused(api: APIClient) -> None:
    upload = sent(api)
    merge(api, upload)
    assert code(put(api, upload, 0)) == (409, "upload_finished")
    assert code(api.delete(f"/api/videos/uploads/{upload['id']}/")) == (409, "upload_finished")


def test_an_upload_whose_file_is_gone_says_so(api: APIClient) -> None:
    upload = begun(api)
    sessions.path_of(uuid.UUID(upload["id"])).unlink()
    assert code(put(api, upload, 0)) == (410, "upload_gone")
    assert begun(api)["id"] != upload["id"]


def test_a_full_disk_is_not_the_users_fault(api: APIClient, tmp_path: Path) -> None:
    upload = begun(api)
    part = sessions.path_of(uuid.UUID(upload["id"]))
    part.unlink()
    part.symlink_to("/dev/full")
    assert code(put(api, upload, 0)) == (507, "storage_full")
    part.unlink()
