"""Drafts larger than a request may be: sent in chunks as videos are, and merged with what is to be made of them."""

from __future__ import annotations

import base64
import json
import os
import random
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.testing import run
from tests.builders import make_user
from tests.files import files_under
from tests.jobs.test_batches import at_once
from tests.videos.clips import make_clip
from tests.videos.drafts.parcels import packed, reel
from tests.videos.drafts.test_intake import FAR, change
from tests.videos.test_media import CHUNK, begin, merge, put, send, sha256, signed_in
from tests.videos.test_videos_api import code, make_video
from videos import storage, tasks
from videos.drafts import intake
from videos.models import Draft, Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

PADDING = random.Random(1).randbytes(2 * CHUNK)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    return signed_in(ann)


def sent(api: APIClient, data: bytes, **wish: Any) -> dict[str, Any]:
    """An upload that has arrived whole, the last chunk first."""
    upload = begin(api, data, "draft", **wish).json()
    for index in reversed(range(upload["chunks_total"])):
        put(api, upload, index, data)
    return dict(upload)


def kept() -> list[str]:
    """What is stored, and what is under way."""
    found = files_under(settings.MEDIA_ROOT, settings.UPLOADS_DIR)
    return [path.relative_to(Path(settings.MEDIA_ROOT).parent).as_posix() for path in found]


def test_an_archive_of_many_chunks_becomes_a_film(api: APIClient, ann: User, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1, size="160x90", rate=10)
    data = packed(reel("C:/x/a.mp4", "C:/gone.mp4"), a_mp4=clip, padding_bin=PADDING)
    upload = sent(api, data, file_name="Ferien.zip", file_hash=sha256(data))
    assert upload["chunks_total"] > 2
    answer = merge(api, upload, on_missing="slate", quality="low", format="mov", callback_url=f"{FAR}/hook", priority=3)
    assert answer.status_code == 202, answer.content
    said = answer.json()
    assert set(said) == {"detail", "draft", "job"}
    draft, job = Draft.objects.get(), Job.objects.get()
    assert (said["draft"]["id"], said["job"]["id"], draft.job_id) == (draft.pk, str(job.pk), job.pk)
    assert (job.kind, job.owner_id, job.priority, job.callback_url) == (
        *("videos.tasks.render_draft", ann.pk, 3, f"{FAR}/hook"),
    )
    assert (draft.draft_id, draft.name, draft.format, draft.quality) == ("D-1", "Ferien", "mov", "low")
    assert kept() == [f"media/{draft.source}"], "the bytes have moved, and none are there twice"
    assert storage.path_of(draft.source).read_bytes() == data
    assert draft.source.startswith("drafts/sources/")
    assert draft.source.endswith(".zip")
    assert api.get(f"/api/videos/uploads/{upload['id']}/").json()["draft"] == draft.pk
    done = run(job)
    assert done.status == "completed", done.error_message
    now = api.get(f"/api/drafts/{draft.pk}/").json()
    assert (now["status"], now["video_url"][-4:], now["duration"]) == ("ready", ".mov", pytest.approx(2, abs=0.1))
    assert [(one["file_name"], one["reason"]) for one in now["missing"]] == [("gone.mp4", "not_found")]
    assert [one["code"] for one in now["report"]] == ["media_missing"]


def test_a_document_alone_may_come_so_too(api: APIClient) -> None:
    said = send(api, json.dumps(reel(FAR)).encode(), "draft", file_name="draft_content.json").json()
    draft = Draft.objects.get()
    assert (said["draft"]["draft_id"], draft.source[-5:], draft.on_missing) == ("D-1", ".json", "refuse")


def test_merged_twice_it_is_the_same_draft_and_with_other_options_none(api: APIClient) -> None:
    upload = sent(api, packed(reel(FAR)))
    first, second = merge(api, upload, quality="low"), merge(api, upload, quality="low")
    assert first.json()["draft"]["id"] == second.json()["draft"]["id"]
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    answer = merge(api, upload, quality="high")
    assert code(answer) == (409, "upload_finished")
    assert answer.json()["error"]["details"] == {"draft": first.json()["draft"]["id"]}
    assert (Draft.objects.count(), Job.objects.count(), len(kept())) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_merged_several_times_at_once_it_is_one_draft(api: APIClient, ann: User) -> None:
    upload = sent(api, packed(reel(FAR)))
    answers: list[Any] = []
    assert at_once(*[lambda: answers.append(merge(signed_in(ann), upload))] * 4) == []
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["draft"]["id"] for answer in answers}) == 1
    assert (Draft.objects.count(), Job.objects.count(), len(kept())) == (1, 1, 1)


def test_what_is_refused_stays_an_upload_and_is_merged_with_what_was_missing(api: APIClient, ann: User) -> None:
    upload = sent(api, packed(reel("C:/x/one.mp4"), padding_bin=PADDING))
    answer = merge(api, upload)
    assert code(answer) == (422, "draft_media_missing")
    assert answer.json()["error"]["details"]["missing"][0]["file_name"] == "one.mp4"
    assert (Draft.objects.count(), Job.objects.count(), kept()) == (0, 0, [f"uploads/{upload['id']}.part"])
    assert code(merge(api, upload, mapping={"one.mp4": make_video(make_user()).pk})) == (400, "invalid")
    answer = merge(api, upload, mapping={"one.mp4": make_video(ann).pk})
    assert (answer.status_code, answer.json()["draft"]["missing"]) == (202, [])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"no draft at all", "draft_invalid"),
        (base64.b64encode(bytes(range(256))), "draft_encrypted"),
        (packed({}, name="readme.json"), "draft_invalid"),
        (packed(reel(FAR), __secret=b"x"), "draft_archive_unsafe"),
        (packed(reel(FAR), bomb_mp4=bytes(11 << 20)), "draft_archive_unsafe"),
        (packed(reel(FAR), padding_bin=PADDING)[:-30], "draft_archive_unsafe"),
        (json.dumps(reel(FAR, nothing="x" * 100)).encode() + b"}", "draft_invalid"),
    ],
    ids=range(7),
)
def test_it_is_checked_as_a_posted_one_and_given_up_then(api: APIClient, data: bytes, word: str) -> None:
    upload = sent(api, data)
    assert code(merge(api, upload)) == (422, word)
    assert (Draft.objects.count(), Job.objects.count()) == (0, 0)
    assert api.delete(f"/api/videos/uploads/{upload['id']}/").status_code == 204
    assert kept() == []


def test_a_draft_may_be_as_large_as_one_that_is_fetched(api: APIClient, monkeypatch: Any) -> None:
    change(monkeypatch, max_bytes=1000)
    answer = begin(api, bytes(1001), "draft")
    assert (code(answer), answer.json()["error"]["details"]) == ((413, "file_too_large"), {"max_bytes": 1000})
    assert begin(api, bytes(1000), "draft").status_code == 201
    assert begin(api, bytes(1001), "video").status_code == 201


@pytest.mark.parametrize(
    "said",
    [{"format": "avi"}, {"quality": "best"}, {"on_missing": "no"}, {"mapping": []}, {"colour": "red"}],
    ids=str,
)
def test_options_that_nobody_knows_are_refused(api: APIClient, said: dict[str, Any]) -> None:
    answer = merge(api, sent(api, packed(reel(FAR))), **said)
    assert code(answer) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) == set(said)


def test_a_chunk_that_has_not_come_is_named_before_the_draft_is_looked_at(api: APIClient) -> None:
    data = packed(reel("C:/gone.mp4"), padding_bin=PADDING)
    upload = begin(api, data, "draft").json()
    put(api, upload, 0, data)
    answer = merge(api, upload)
    assert code(answer) == (409, "chunk_missing")
    assert answer.json()["error"]["details"] == {"missing": [[1, upload["chunks_total"] - 1]]}


def test_a_wrong_checksum_is_told_at_once_where_it_is_known(api: APIClient) -> None:
    data = b"no draft at all" * 10_000
    upload = begin(api, data, "draft", file_hash=sha256(b"another")).json()
    for index in range(upload["chunks_total"]):
        put(api, upload, index, data)
    assert code(merge(api, upload)) == (422, "checksum_mismatch")
    assert kept() == []
    assert code(merge(api, upload)) == (404, "not_found")


def test_a_wrong_checksum_is_found_by_the_job_at_the_latest(api: APIClient) -> None:
    data = packed(reel(FAR), padding_bin=PADDING)
    upload = sent(api, data, file_hash=sha256(b"another"))
    job = run(merge(api, upload, on_missing="slate").json()["job"]["id"])
    assert (job.status, job.error_code, job.attempt) == ("failed", "checksum_mismatch", 1)


def test_the_same_content_once_more_is_another_draft(api: APIClient) -> None:
    data = packed(reel(FAR))
    for count in (1, 2):
        upload = begin(api, data, "draft", file_hash=sha256(data))
        assert upload.status_code == 201
        put(api, upload.json(), 0, data)
        assert merge(api, upload.json()).status_code == 202
        assert Draft.objects.count() == count


def test_nobody_else_merges_it_and_its_token_is_enough(api: APIClient) -> None:
    upload = sent(api, packed(reel(FAR)))
    assert code(merge(signed_in(make_user()), upload)) == (404, "not_found")
    holder = APIClient(headers={"Upload-Token": upload["token"]})
    assert merge(holder, upload).status_code == 202
    assert Draft.objects.get().owner.username == "ann"


def test_of_a_draft_whose_job_is_not_recorded_the_upload_alone_is_kept(api: APIClient, ann: User) -> None:
    upload = sent(api, packed(reel(FAR)))
    row = Upload.objects.get(pk=upload["id"])
    wish = intake.Wish(owner_id=ann.pk, format="mp4", quality="low", on_missing="slate")

    def start(draft_id: int) -> Job:
        assert any(name.startswith("media/drafts/sources/") for name in kept()), "it is in place before the row is"
        raise PermissionError

    with pytest.raises(PermissionError):
        intake.take_upload(row, wish, start=start)
    assert (Draft.objects.count(), kept()) == (0, [f"uploads/{upload['id']}.part"])
    assert merge(api, upload).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_commit_whose_answer_was_lost_leaves_the_file_that_the_row_names(api: APIClient, ann: User) -> None:
    upload = Upload.objects.get(pk=sent(api, packed(reel(FAR)))["id"])

    def lose() -> NoReturn:
        raise OperationalError

    def start(draft_id: int) -> Job:
        transaction.on_commit(lose)
        return tasks.render(draft_id)

    with pytest.raises(OperationalError):
        intake.take_upload(
            upload, intake.Wish(owner_id=ann.pk, format="mp4", quality="low", on_missing="slate"), start=start
        )
    assert f"media/{Draft.objects.get().source}" in kept()


def test_a_draft_that_is_removed_takes_its_upload_along(api: APIClient) -> None:
    upload = sent(api, packed(reel(FAR)))
    draft = merge(api, upload).json()["draft"]
    assert api.delete(draft["urls"]["self"]).status_code == 204
    assert (Upload.objects.count(), Draft.objects.count(), kept()) == (0, 0, [])
    assert code(merge(api, upload)) == (404, "not_found")


def test_an_upload_becomes_one_thing(api: APIClient, ann: User) -> None:
    sent(api, os.urandom(10))
    draft = Draft.objects.create(owner=ann, url=FAR, format="mp4", quality="low", on_missing="slate")
    for wrong in ({"draft": draft}, {"draft": draft, "video": make_video(ann), "merged_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Upload.objects.update(**wrong)
