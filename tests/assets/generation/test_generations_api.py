"""The API of generation: pictures and clips are asked for, listed, fetched and removed by their owner alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from assets.models import Asset, Generation, GenerationState
from jobs.models import Job
from jobs.status import JobStatus
from jobs.testing import run
from tests.assets.builders import make_asset, make_project
from tests.builders import make_user
from tests.videos.test_serving import ask
from videos.models import Medium

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

IMAGES, CLIPS = "/api/generations/images/", "/api/generations/videos/"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def asset(ann: User) -> Asset:
    return make_asset(make_project(ann), "Mira")


@pytest.fixture
def api(ann: User) -> APIClient:
    return signed_in(ann)


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def post(api: APIClient, address: str, **said: Any) -> Any:
    body = json.dumps({"prompt": "a lamp", **said})  # halves of characters too, which the test client can't write
    return api.post(address, body, content_type="application/json")


def made(api: APIClient, **said: Any) -> Generation:
    answer = post(api, IMAGES, model="offline", size="160x90", **said)
    assert answer.status_code == 202, answer.json()
    assert run(answer.json()["id"]).status == JobStatus.COMPLETED
    return Generation.objects.get(job_id=answer.json()["id"])


@pytest.mark.django_db(transaction=True)
def test_a_picture_is_asked_for_made_and_fetched(api: APIClient, ann: User, asset: Asset) -> None:
    row = made(api, asset_id=asset.pk)
    said = api.get(f"/api/generations/{row.pk}/").json()
    assert (said["state"], said["kind"], said["size"], said["asset"]) == ("completed", "image", "160x90", asset.pk)
    assert (said["error"], said["job"]["status"], said["medium"]) == (None, "completed", Medium.objects.get().pk)
    answer, body = ask(ann, said["url"])
    assert (answer.status_code, answer["Content-Type"], body[:4]) == (200, "image/png", b"\x89PNG")
    assert [ask(user, said["url"])[0].status_code for user in (make_user("bob"), None)] == [404, 404]
    assert [one["id"] for one in api.get("/api/generations/?kind=image&state=completed").json()["results"]] == [row.pk]
    assert api.get("/api/generations/?kind=text2video").json()["results"] == []


@pytest.mark.parametrize("number", ["1e400", "-1e400", '[{"b": 1e400}]', "NaN"])
def test_a_number_that_no_database_takes_is_refused(number: str, api: APIClient) -> None:
    body = f'{{"prompt": "x", "model": "offline", "parameters": {{"a": {number}}}}}'
    assert api.post(IMAGES, body, content_type="application/json").status_code == 400
    assert Job.objects.count() == 0


def test_an_id_of_another_is_like_one_that_there_is_not(api: APIClient, asset: Asset) -> None:
    row = made(api, asset_id=asset.pk)
    other = make_asset()
    Generation.objects.create(owner=other.project.owner, kind="image", asset=other, project=other.project)
    for name, mine, theirs in (("project", row.project_id, other.project_id), ("asset", asset.pk, other.pk)):
        for wanted, found in ((mine, [row.pk]), (theirs, []), (10**9, [])):
            answer = api.get("/api/generations/", {name: str(wanted)})
            assert (answer.status_code, [one["id"] for one in answer.json()["results"]]) == (200, found)
        assert api.get("/api/generations/", {name: "-1e1000"}).status_code == 400


def test_the_same_key_gives_the_same_job(api: APIClient) -> None:
    def ask_once() -> Any:
        return api.post(IMAGES, {"prompt": "a lamp"}, format="json", headers={"Idempotency-Key": "once"}).json()["id"]

    assert ask_once() == ask_once()
    assert (Job.objects.count(), Generation.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (IMAGES, {"prompt": ""}),
        (IMAGES, {"prompt": None}),
        (IMAGES, {"prompt": ["a"]}),
        (IMAGES, {"prompt": "a\0b"}),
        (IMAGES, {"prompt": "x" * 20_001}),
        (IMAGES, {"model": "nobody"}),
        (IMAGES, {"model": {"a": 1}}),
        (IMAGES, {"model": ["offline"] * 9}),
        (IMAGES, {"model": "a\0"}),
        (IMAGES, {"size": "9999x9999"}),
        (IMAGES, {"size": 7}),
        (IMAGES, {"asset_id": 999_999}),
        (IMAGES, {"asset_id": "x"}),
        (IMAGES, {"asset_id": 2**70}),
        (IMAGES, {"references": "x"}),
        (IMAGES, {"references": ["javascript:alert(1)"]}),
        (IMAGES, {"reference_assets": [999_999]}),
        (IMAGES, {"parameters": {"a": "\0"}}),
        (IMAGES, {"parameters": {"\ud800": 1}}),
        (IMAGES, {"parameters": [1]}),
        (IMAGES, {"colour": "red"}),
        (IMAGES, {"priority": 99}),
        (CLIPS, {}),
        (CLIPS, {"video_type": "dream"}),
        (CLIPS, {"video_type": "text2video", "seconds": 1e9}),
        (CLIPS, {"video_type": "text2video", "seconds": "nan"}),
        (CLIPS, {"video_type": "img2video", "image_url": "file:///etc/passwd"}),
    ],
)
def test_what_can_not_be_asked_for_is_refused(api: APIClient, address: str, said: dict[str, Any]) -> None:
    answer = post(api, address, **said)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer.json()["error"]["code"] and answer.json()["error"]["message"]
    assert (Job.objects.count(), Generation.objects.count()) == (0, 0)


def test_the_projects_of_others_are_not_there(api: APIClient) -> None:
    theirs = make_project(make_user("bob"))
    assert post(api, IMAGES, project_id=theirs.pk).status_code == 422
    assert post(api, IMAGES, asset_id=make_asset(theirs).pk).status_code == 422
    assert Generation.objects.count() == 0


def test_a_picture_is_removed_with_its_file_and_stays_its_assets_picture(api: APIClient, asset: Asset) -> None:
    row = made(api, asset_id=asset.pk)
    file = Path(settings.MEDIA_ROOT) / row.result_name
    assert file.is_file()
    assert signed_in(make_user("bob")).delete(f"/api/generations/{row.pk}/").status_code == 404
    assert api.delete(f"/api/generations/{row.pk}/").status_code == 204
    assert not file.exists() and not Generation.objects.exists()
    asset.refresh_from_db()
    assert asset.picture is not None and (Path(settings.MEDIA_ROOT) / asset.picture.source).is_file()
    assert api.delete(f"/api/generations/{row.pk}/").status_code == 404


def test_one_that_waits_is_cancelled_by_removing_it(api: APIClient) -> None:
    job = post(api, IMAGES).json()["id"]
    row = Generation.objects.get(state=GenerationState.QUEUED)
    assert api.delete(f"/api/generations/{row.pk}/").status_code == 204
    assert Job.objects.get(pk=job).status == JobStatus.CANCELLED


def test_nobody_sees_anything_without_signing_in() -> None:
    client = APIClient()
    assert client.get("/api/generations/").status_code == 401
    assert client.post(IMAGES, {"prompt": "x"}, format="json").status_code == 401
