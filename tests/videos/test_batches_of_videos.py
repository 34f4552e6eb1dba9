"""Batches about videos, as users ask for them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs.models import Batch, Job
from tests.builders import make_user
from videos import tasks
from videos.models import Video


@pytest.fixture
def ann() -> User:
    return make_user("ann")


def make_videos(owner: User, count: int) -> list[int]:
    """Rows of videos alone; their ids."""
    Video.objects.bulk_create([Video(owner=owner, title="clip", source="a/b", source_size=5) for _ in range(count)])
    return list(Video.objects.filter(owner=owner).order_by("pk").values_list("pk", flat=True))


def ask(user: User, members: list[dict[str, Any]], *, kind: str = tasks.process_video.name) -> Any:
    api = APIClient()
    api.force_authenticate(user)
    body = {"kind": kind, "members": [{"kwargs": member} for member in members]}
    return api.post("/api/batches/", body, format="json")


def refusal(answer: Any) -> tuple[int, str, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"].get("index")


@pytest.mark.django_db
def test_a_batch_of_videos_asks_and_links_them_together_and_not_one_by_one() -> None:
    def queries(count: int) -> int:
        owner = make_user()
        ids = make_videos(owner, count)
        with CaptureQueriesContext(connection) as seen:
            answer = ask(owner, [{"video_id": pk} for pk in ids])
        assert answer.status_code == 202
        linked = Video.objects.filter(pk__in=ids, job__status="pending").values_list("pk", "job__kwargs")
        assert {pk: kwargs["video_id"] for pk, kwargs in linked} == {pk: pk for pk in ids}
        return len(seen)

    assert queries(100) < queries(10) + 10  # SQLite takes the rows in several parts


@pytest.mark.django_db
def test_ten_thousand_videos_are_asked_for_in_seconds(
    ann: User, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10**6
    ids = make_videos(ann, 10_000)
    started, busy = time.perf_counter(), time.process_time()
    answer = ask(ann, [{"video_id": pk} for pk in ids])
    took, busy = time.perf_counter() - started, time.process_time() - busy
    with capsys.disabled():
        print(f"\n10,000 videos on {connection.vendor}: {took:.1f} s, {busy:.1f} s of it ours")  # noqa: T201
    assert answer.status_code == 202
    assert busy < 60  # by our own processor's time, as others may keep the machine busy
    assert Video.objects.filter(job__batch=Batch.objects.get()).count() == 10_000


@pytest.mark.django_db
def test_several_jobs_about_one_video_are_refused(ann: User) -> None:
    first, second = make_videos(ann, 2)
    answer = ask(ann, [{"video_id": first}, {"video_id": second}, {"video_id": first}])
    assert refusal(answer) == (422, "duplicate_subject", 2)
    assert answer.json()["error"]["details"]["first"] == 0
    frames = [{"video_id": first, "at": 1.0}, {"video_id": first, "at": 2.0}]
    assert refusal(ask(ann, frames, kind=tasks.generate_thumbnail.name)) == (422, "duplicate_subject", 1)
    assert not Job.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("bad", ["7", "07", 7.0, True, None, [7], {"pk": 7}], ids=repr)
def test_what_is_no_id_of_a_video_is_refused_by_its_place(ann: User, bad: Any) -> None:
    ids = make_videos(ann, 5)
    members = [{"video_id": pk} for pk in ids]
    assert refusal(ask(ann, [*members[:3], {"video_id": bad}, *members[3:]])) == (422, "bad_member", 3)


@pytest.mark.django_db
@pytest.mark.parametrize("foreign", [-1, 0, 10**9, 2**63, 10**30], ids=repr)
def test_a_video_that_is_not_there_is_not_yours(ann: User, foreign: int) -> None:
    members = [{"video_id": pk} for pk in make_videos(ann, 3)]
    assert refusal(ask(ann, [*members, {"video_id": foreign}])) == (403, "member_not_allowed", 3)
    others = make_videos(make_user(), 1)
    assert refusal(ask(ann, [{"video_id": others[0]}, *members])) == (403, "member_not_allowed", 0)
