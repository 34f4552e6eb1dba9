"""Scripts that are sent in chunks as videos are, and become episodes at their merge."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from assets import uploaded
from assets.models import Episode
from tests.assets.builders import SCRIPT, make_episode, make_project
from tests.assets.test_episodes_api import SERIAL
from tests.builders import make_user
from tests.files import files_under
from tests.jobs.test_batches import at_once
from tests.videos.test_media import begin, merge, put, send, sha256, signed_in
from tests.videos.test_videos_api import code
from videos import cleanup
from videos.models import Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

LONG = (SERIAL + "\n".join(f"△{random.Random(n).random()}" for n in range(20_000))).encode()
"""In several chunks."""


@pytest.fixture
def api(ann: User) -> APIClient:
    return signed_in(ann)


def sent(api: APIClient, data: bytes, **wish: Any) -> dict[str, Any]:
    """An upload that has arrived whole, the last chunk first."""
    upload = begin(api, data, "script", **{"file_name": "剧本.txt", **wish}).json()
    for index in reversed(range(upload["chunks_total"])):
        put(api, upload, index, data)
    return dict(upload)


def test_it_becomes_the_episodes_that_it_holds(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    upload = sent(api, LONG, file_hash=sha256(LONG))
    assert upload["chunks_total"] > 2
    answer = merge(api, upload, project=project.pk)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["job"], [one["title"] for one in told["script"]["episodes"]]) == (None, ["重逢", "离别"])
    second = Episode.objects.get(number=2)
    assert (second.source_name, second.project) == ("剧本.txt", project)
    assert second.script.count("△") == 20_000
    assert files_under(settings.UPLOADS_DIR, settings.MEDIA_ROOT) == []


def test_asked_twice_the_answer_is_the_same(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    upload = sent(api, SERIAL.encode())
    first, second = (merge(api, upload, project=project.pk) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert code(merge(api, upload, project=make_project(ann).pk)) == (409, "upload_finished")
    Episode.objects.all().delete()
    assert code(merge(api, upload, project=project.pk)) == (409, "upload_finished")


def test_with_a_number_or_a_title_it_is_one_episode(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    told = merge(api, sent(api, SERIAL.encode()), project=project.pk, number=7, title="All").json()
    assert [(one["number"], one["title"]) for one in told["script"]["episodes"]] == [(7, "All")]
    told = merge(api, sent(api, SCRIPT.encode(), file_name="pilot.fountain"), project=project.pk, title="Pilot").json()
    assert [(one["number"], one["title"]) for one in told["script"]["episodes"]] == [(8, "Pilot")]


def test_what_is_refused_stays_an_upload(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    make_episode(project, number=2)
    upload = sent(api, SERIAL.encode())
    assert code(merge(api, upload, project=project.pk)) == (409, "episode_number_taken")
    assert code(merge(api, upload)) == (400, "invalid")
    assert code(merge(api, upload, project=make_project(make_user()).pk)) == (400, "invalid")
    assert code(merge(api, upload, project=project.pk, number=0)) == (400, "invalid")
    assert merge(api, upload, project=project.pk, number=3).status_code == 202
    assert set(project.episodes.values_list("number", flat=True)) == {2, 3}


def test_what_is_no_script_is_refused_with_a_reason(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    answer = merge(api, sent(api, bytes(range(256)) * 64, file_name="pilot.fdx"), project=project.pk)
    status, reason = code(answer)
    assert status in (400, 415, 422), answer.content
    assert reason.startswith("script_"), answer.content
    assert Upload.objects.get().merged_at is None


def test_one_that_is_too_large_is_refused_before_it_is_sent(api: APIClient, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, script_bytes=1000)
    answer = begin(api, b"x" * 1001, "script")
    assert code(answer) == (413, "file_too_large")
    assert answer.json()["error"]["details"] == {"max_bytes": 1000}


def test_a_checksum_that_is_wrong_ends_it(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    upload = sent(api, LONG, file_hash=sha256(LONG + b"x"))
    assert code(merge(api, upload, project=project.pk)) == (422, "checksum_mismatch")
    assert not Upload.objects.exists()
    assert not project.episodes.exists()


def test_one_that_is_known_is_read_again(api: APIClient, ann: User) -> None:
    """It may belong to another project."""
    data = SCRIPT.encode()
    for _ in range(2):
        assert merge(api, sent(api, data, file_hash=sha256(data)), project=make_project(ann).pk).status_code == 202


def test_after_a_while_nobody_remembers_the_upload(api: APIClient, ann: User) -> None:
    send(api, SCRIPT.encode(), "script")  # not merged: no project was named
    merge(api, sent(api, SERIAL.encode()), project=make_project(ann).pk)
    now = timezone.now()
    assert cleanup.clean_up(now)["uploads"] == 0
    assert cleanup.clean_up(now + settings.JOINTO_VIDEOS.keep_uploads + timedelta(minutes=1))["uploads"] == 2
    assert set(Episode.objects.values_list("upload", flat=True)) == {None}


@pytest.mark.django_db(transaction=True)
def test_merged_twice_at_once_it_is_read_once(ann: User) -> None:
    api, project = signed_in(ann), make_project(ann)
    upload = Upload.objects.get(pk=sent(api, LONG)["id"])
    made: list[list[int]] = []
    act = lambda: made.append([one.pk for one in uploaded.take(upload, project.pk, name="a.txt")])  # noqa: E731
    assert at_once(*[act] * 4) == []
    assert [sorted(one) for one in made] == [sorted(project.episodes.values_list("pk", flat=True))] * 4
    assert len(made[0]) == 2
