"""The API of videos: what people do to them, also at the very moment when a worker does something else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from jobs import control, dispatch, transitions
from jobs.context import JobContext
from jobs.models import Job
from tests.builders import claim, make_user
from tests.jobs.test_batches import at_once
from videos import errors, processing, storage, tasks
from videos.models import Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def make_video(owner: User, **fields: Any) -> Video:
    """An uploaded video with its file, that nothing has been made of."""
    name = storage.name_for_upload(b"", timezone.now())
    path = storage.path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"bytes")
    return Video.objects.create(owner=owner, **{"title": "clip", "source": name, "source_size": 5, **fields})


def source_of(video: Video) -> Path:
    return storage.path_of(Video.objects.get(pk=video.pk).source or "gone")


def code(answer: Any) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["message"].endswith("."), error
    return answer.status_code, error["code"]


def titles(api: APIClient, **filters: Any) -> list[str]:
    return [video["title"] for video in api.get("/api/videos/", filters).json()["results"]]


class Meanwhile:
    """Does something just before the nth statement that begins so: what another process could have done then."""

    def __init__(self, statement: str, act: Any, *, nth: int = 1) -> None:
        self.statement, self.act, self.nth, self.done = statement, act, nth, False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.nth -= sql.startswith(self.statement)
        if self.nth == 0 and not self.done:
            self.done = True
            self.act()
        return execute(sql, params, many, context)


# -- looking and renaming --------------------------------------------------------------------------------


def test_a_list_shows_ones_own_videos_and_deleted_ones_only_when_asked(api: APIClient, ann: User) -> None:
    make_video(ann, title="there")
    make_video(ann, title="deleted", deleted_at=timezone.now())
    make_video(make_user(), title="somebody else's")
    assert titles(api) == ["there"]
    assert titles(api, deleted="true") == ["deleted"]
    assert titles(api, deleted="false") == ["there"]
    assert titles(api, title="HER") == ["there"]


@pytest.mark.parametrize("rubbish", ["maybe", "\0", "2"])
def test_a_filter_that_can_not_be_shows_no_deleted_video(api: APIClient, ann: User, rubbish: str) -> None:
    make_video(ann, title="deleted", deleted_at=timezone.now())
    answer = api.get("/api/videos/", {"deleted": rubbish})
    assert answer.status_code == 400 or answer.json()["results"] == []


def test_a_list_costs_the_same_however_long_it_is(api: APIClient, ann: User, django_assert_num_queries: Any) -> None:
    for _ in range(4):
        video = make_video(ann)
        video.renditions.create(name="360p", width=1, height=1, file="f", bytes=1, bandwidth=1, codecs="c")
        tasks.start(video.pk)
    with django_assert_num_queries(3):
        assert len(titles(api)) == 4


def test_a_video_that_is_there_tells_where_it_plays(api: APIClient, ann: User) -> None:
    video = make_video(ann, folder="videos/1/x", playlist="master.m3u8", poster="poster.jpg", duration=1.5)
    said = api.get(f"/api/videos/{video.pk}/").json()
    assert (said["status"], said["playlist_url"], said["poster_url"], said["duration"]) == (
        *("ready", "/media/videos/1/x/master.m3u8", "/media/videos/1/x/poster.jpg", 1.5),
    )
    assert (said["error"], said["job"]) == (None, None)


def test_only_the_title_is_the_users_to_change(api: APIClient, ann: User) -> None:
    video = make_video(ann)
    before: dict[str, Any] = {**Video.objects.filter(pk=video.pk).values().get()}
    wish = {"title": "Ferien – 假期 🎬", "folder": "x", "source": "/etc/passwd", "owner": 1, "status": "ready", "id": 5}
    assert api.patch(f"/api/videos/{video.pk}/", wish).json()["title"] == wish["title"]
    after: dict[str, Any] = {**Video.objects.filter(pk=video.pk).values().get()}
    assert {name for name in after if after[name] != before[name]} == {"title", "updated_at"}
    assert api.put(f"/api/videos/{video.pk}/", wish).status_code == 405


@pytest.mark.parametrize("title", ["a\0b", "x" * 256, "", "  ", None, [], {}, "\ud800"], ids=repr)
def test_a_title_that_is_none_is_refused(api: APIClient, ann: User, title: Any) -> None:
    video = make_video(ann)
    body = f'{{"title": "{title}"}}'.encode("ascii", "backslashreplace") if title == "\ud800" else None
    address = f"/api/videos/{video.pk}/"
    answer = api.patch(address, body, content_type="application/json") if body else api.patch(address, {"title": title})
    assert code(answer) == (400, "invalid")
    assert Video.objects.get(pk=video.pk).title == "clip"


@pytest.mark.parametrize("front", ["api", "admin"])
def test_a_rename_takes_nothing_back_that_a_worker_wrote_meanwhile(api: APIClient, ann: User, front: str) -> None:
    video = make_video(ann)
    published = {"folder": "videos/1/x", "playlist": "master.m3u8", "sha256": "0" * 64}
    meanwhile = Meanwhile('UPDATE "videos_video"', lambda: Video.objects.filter(pk=video.pk).update(**published))
    with connection.execute_wrapper(meanwhile):
        if front == "api":
            assert api.patch(f"/api/videos/{video.pk}/", {"title": "new"}).status_code == 200
        else:
            operator = Client()
            operator.force_login(make_user("root", is_staff=True, is_superuser=True))
            forms = {"renditions-TOTAL_FORMS": 0, "renditions-INITIAL_FORMS": 0}
            answer = operator.post(reverse("admin:videos_video_change", args=[video.pk]), {"title": "new", **forms})
            assert answer.status_code == 302
    assert meanwhile.done
    found = Video.objects.filter(pk=video.pk).values("title", "folder", "playlist", "sha256").get()
    assert found == {"title": "new", **published}


# -- deleting and restoring ------------------------------------------------------------------------------


def test_a_deleted_video_is_there_until_the_clean_up_and_can_be_restored(api: APIClient, ann: User) -> None:
    video = make_video(ann)
    assert api.delete(f"/api/videos/{video.pk}/").status_code == 204
    deleted_at = api.get(f"/api/videos/{video.pk}/").json()["deleted_at"]
    assert api.delete(f"/api/videos/{video.pk}/").status_code == 204
    assert api.get(f"/api/videos/{video.pk}/").json()["deleted_at"] == deleted_at, "it gets no longer by deleting twice"
    assert source_of(video).exists()
    for _ in range(2):
        assert api.post(f"/api/videos/{video.pk}/restore/").json()["deleted_at"] is None
    assert titles(api) == ["clip"]


@pytest.mark.parametrize("address", ["/api/videos/999/", f"/api/videos/{10**30}/", f"/api/videos/{'9' * 5000}/"])
def test_a_video_that_is_not_there_is_404(api: APIClient, address: str) -> None:
    assert code(api.get(address)) == code(api.delete(address)) == (404, "not_found")
    assert code(api.post(f"{address}restore/")) == code(api.post(f"{address}process/")) == (404, "not_found")


def run(video: Video) -> Exception | None:
    """One attempt to process a video, as the runner makes it; the error that it ends with."""
    context = JobContext()
    try:
        processing.process(video.pk, context)
    except Exception as error:  # noqa: BLE001  as the runner
        for action in context.after_failure:
            action(error)
        return error
    return None


def test_a_video_that_was_deleted_before_it_was_processed_can_be_restored_whole(api: APIClient, ann: User) -> None:
    video = make_video(ann)
    api.delete(f"/api/videos/{video.pk}/")
    assert isinstance(run(video), errors.VideoDeleted)
    assert api.post(f"/api/videos/{video.pk}/restore/").status_code == 200
    assert source_of(video).is_file(), "the user's only copy went with a deletion that could be taken back"
    assert api.post(f"/api/videos/{video.pk}/process/").status_code == 202


def test_processing_a_deleted_video_from_the_admin_does_not_lose_its_file(ann: User) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    video = make_video(ann, deleted_at=timezone.now())
    said = {"action": "process_again", "_selected_action": [video.pk]}
    assert operator.post(reverse("admin:videos_video_changelist"), said).status_code == 302
    assert not Job.objects.exists()


# -- processing again ------------------------------------------------------------------------------------


def process(api: APIClient, video: Video, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(f"/api/videos/{video.pk}/process/", headers=headers)


def test_while_a_job_works_for_a_video_that_job_is_given(api: APIClient, ann: User) -> None:
    video = make_video(ann)
    first = process(api, video)
    assert (first.status_code, first.json()["subject"]) == (202, f"videos.Video:{video.pk}")
    assert process(api, video).json()["id"] == first.json()["id"]
    claimed = claim(Job.objects.get())
    assert process(api, video).json()["id"] == first.json()["id"]
    transitions.fail(claimed, code="broken", message="No.")
    assert api.get(f"/api/videos/{video.pk}/").json()["error"] == {"code": "broken", "message": "No."}
    assert process(api, video).json()["id"] != first.json()["id"]
    assert Video.objects.get(pk=video.pk).status == "processing"


@pytest.mark.django_db(transaction=True)
def test_two_that_ask_at_once_get_one_job(ann: User) -> None:
    video = make_video(ann)
    barrier = threading.Barrier(3)

    def ask(_: int) -> str:
        client = APIClient()
        client.force_authenticate(ann)
        try:
            barrier.wait()
            return str(process(client, video).json()["id"])
        finally:
            connection.close()

    for _ in range(4):
        with ThreadPoolExecutor(3) as threads:
            assert len(set(threads.map(ask, range(3)))) == 1
        control.cancel(Video.objects.get(pk=video.pk).job or Job(), by="ann")


def test_a_key_gives_the_same_job_and_is_good_for_one_video(api: APIClient, ann: User) -> None:
    video, other = make_video(ann), make_video(ann)
    first = process(api, video, "k").json()["id"]
    transitions.cancel(Job.objects.get().pk)
    assert process(api, video, "k").json()["id"] == first
    assert code(process(api, other, "k")) == (409, dispatch.IdempotencyKeyReused.code)
    assert code(process(api, other, "k" * 256)) == (400, "idempotency_key_too_long")
    assert process(api, other, "k" * 255).status_code == 202


def test_every_key_that_was_given_a_job_gives_that_job_when_it_has_ended_too(api: APIClient, ann: User) -> None:
    video, other = make_video(ann), make_video(ann)
    for first_key in ("", "a"):
        first = process(api, video, first_key).json()["id"]
        assert process(api, video, f"b after {first_key}").json()["id"] == first
        assert process(api, video, f"c after {first_key}").json()["id"] == first
        transitions.complete(claim(Job.objects.get(pk=first)), {})
        assert process(api, video, f"b after {first_key}").json()["id"] == first
        assert process(api, video, f"c after {first_key}").json()["id"] == first
        assert code(process(api, other, f"b after {first_key}")) == (409, dispatch.IdempotencyKeyReused.code)
    assert process(api, video, "d").json()["id"] != first


@pytest.mark.django_db(transaction=True)
def test_a_retry_by_hand_and_a_new_request_at_once_have_one_job_work_for_the_video(ann: User) -> None:
    video = make_video(ann)
    tasks.start(video.pk)
    for _ in range(10):
        control.cancel(Job.objects.get(status="pending"), by="ann")
        old = Job.objects.order_by("created_at")[0]
        at_once(partial(control.retry, old, by="ann"), partial(tasks.start, video.pk))
        working = Job.objects.get(status="pending")
        assert Video.objects.get(pk=video.pk).job_id == working.pk


def test_what_can_not_be_processed_says_why(api: APIClient, ann: User) -> None:
    assert code(process(api, make_video(ann, deleted_at=timezone.now()))) == (409, "video_deleted")
    assert code(process(api, make_video(ann, source=""))) == (410, "source_gone")
    lost = make_video(ann)
    source_of(lost).unlink()
    assert code(process(api, lost)) == (410, "source_gone")


def ask_to_process(api: APIClient, video: Video, **options: Any) -> Any:
    storage.path_of(video.source).parent.mkdir(parents=True, exist_ok=True)
    storage.path_of(video.source).write_bytes(b"x")
    return api.post(f"/api/videos/{video.pk}/process/", options)


def test_a_request_may_name_who_is_called_when_the_job_has_ended(api: APIClient, ann: User) -> None:
    said = ask_to_process(api, make_video(ann), callback_url="http://93.184.215.14/hook", priority=3).json()
    job = Job.objects.get(pk=said["id"])
    assert (job.callback_url, job.priority) == ("http://93.184.215.14/hook", 3)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "http://2130706433/"]
)
def test_nobody_of_our_own_network_is_called(api: APIClient, ann: User, url: str) -> None:
    answer = ask_to_process(api, make_video(ann), callback_url=url)
    assert (answer.status_code, answer.json()["error"]["code"]) in {(422, "url_refused"), (400, "invalid")}
    assert not Job.objects.exists()


def test_a_priority_above_that_of_the_tier_is_for_staff(api: APIClient, ann: User) -> None:
    video = make_video(ann)
    answer = ask_to_process(api, video, priority=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "priority_too_high")
    ann.is_staff = True
    assert ask_to_process(api, video, priority=10).json()["priority"] == 10
