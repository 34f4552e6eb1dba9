"""Timelines to and from other programs, over the API: media find their materials, and nothing is lost unsaid."""

from __future__ import annotations

import json
from typing import Any

import opentimelineio
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.builders import make_user
from tests.videos.test_projects_api import cut, make_project, put
from tests.videos.test_videos_api import code, make_video
from tests.videos.timeline.otio.cuts import dissolve, file, shot, track
from tests.videos.timeline.otio.test_hostile import bundle
from videos.models import Material, Project
from videos.timeline.values import SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def project_of(owner: User, **titles: str) -> Project:
    """A project whose materials of these names are videos with these titles."""
    project = make_project(owner, name="第一集 1/2")
    for place, (name, title) in enumerate(titles.items()):
        video = make_video(owner, title=title, duration=4.5)
        Material.objects.create(project=project, video=video, name=name, place=place)
    return project


def address(project: Project, query: str = "") -> str:
    return f"/api/projects/{project.pk}/timeline/otio/{query}"


def take_over(api: APIClient, project: Project, data: bytes, query: str = "", match: str | None = "*") -> Any:
    headers = {} if match is None else {"If-Match": match}
    return api.put(address(project, query), data, content_type="application/octet-stream", headers=headers)


def materials(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [clip["material"] for clip in answer.json()["timeline"]["tracks"][0]["clips"]]


def test_what_is_downloaded_is_taken_over_again_as_it_was(api: APIClient, ann: User) -> None:
    project = project_of(ann, a="Beach", b="Street")
    document = cut("a", "b")
    document["tracks"][0]["clips"][0] |= {"transition": {"duration": 1000}, "sound": {"volume": 0.3}, "speed": "1/3"}
    assert put(api, project, document).status_code == 200
    got = api.get(address(project))
    assert (got.status_code, got.headers["ETag"]) == (200, '"1"')
    assert got.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E7%AC%AC")
    again = take_over(api, project, got.content, match='"1"')
    assert (again.status_code, again.headers["ETag"], again.json()["report"]) == (200, '"2"', [])
    saved = api.get(f"/api/projects/{project.pk}/timeline/")
    assert saved.json() == again.json()["timeline"]
    (first, _) = saved.json()["tracks"][0]["clips"]
    assert (first["speed"], first["sound"]["volume"], first["transition"]["duration"]) == ("1/3", 0.3, 1000)


def test_other_programs_find_the_files_by_their_names(api: APIClient, ann: User) -> None:
    project = project_of(ann, a="Am Strand 1")
    assert put(api, project, cut("a")).status_code == 200
    (clip,) = opentimelineio.core.deserialize_json_from_string(api.get(address(project)).content.decode()).find_clips()
    assert clip.media_reference.target_url.startswith("Am%20Strand%201.")
    assert clip.media_reference.available_range.duration.to_seconds() == 4.5
    assert clip.source_range.duration.to_seconds() == 1


def test_an_empty_timeline_is_downloaded_too(api: APIClient, ann: User) -> None:
    project = project_of(ann)
    assert json.loads(api.get(address(project)).content)["tracks"]["children"] == []
    assert take_over(api, project, api.get(address(project)).content).json()["report"] == []


def test_media_are_found_by_name_then_by_what_their_files_are_called(api: APIClient, ann: User) -> None:
    project = project_of(ann, one="Beach", beach="Mountain", two="Street")
    # the files are /footage/beach.mov, STREET.mov, one.mov
    data = file(track(shot("beach"), shot("STREET"), shot("one")))
    assert materials(take_over(api, project, data)) == ["one", "two", "one"]
    named = json.loads(data)
    named["tracks"]["children"][0]["children"][0]["media_references"]["DEFAULT_MEDIA"]["name"] = "beach"
    assert materials(take_over(api, project, json.dumps(named).encode())) == ["beach", "two", "one"]


def test_media_that_are_missing_are_named_or_left_out(api: APIClient, ann: User) -> None:
    project = project_of(ann, a="a")
    data = file(track(shot("a"), dissolve(6, 6), shot("gone"), shot("a")))
    refused = take_over(api, project, data)
    assert code(refused) == (422, "otio_media_missing")
    assert refused.json()["error"]["details"]["media"] == [
        {"name": "gone", "url": "file:///footage/gone.mov", "kind": "external"}
    ]
    assert Project.objects.get(pk=project.pk).version == 0
    skipped = take_over(api, project, data, "?missing=skip")
    clips = skipped.json()["timeline"]["tracks"][0]["clips"]
    assert [(one["start"], one["transition"]) for one in clips] == [(0, None), (2 * SECOND, None)]
    assert [one["code"] for one in skipped.json()["report"]] == ["media_left_out"]
    assert code(take_over(api, project, data, "?missing=perhaps")) == (400, "invalid")


def test_a_bundle_is_taken_over(api: APIClient, ann: User) -> None:
    data = bundle(("content.otio", file(track(shot("a")))), ("media/a.mov", b"x"))
    answer = take_over(api, project_of(ann, a="x"), data)
    assert (materials(answer), [one["code"] for one in answer.json()["report"]]) == (["a"], ["media_not_taken"])


def test_nobody_overwrites_what_they_have_not_seen(api: APIClient, ann: User) -> None:
    project = project_of(ann, a="a")
    data = file(track(shot("a")))
    assert code(take_over(api, project, data, match=None)) == (428, "precondition_required")
    assert code(take_over(api, project, data, match='"7"')) == (412, "timeline_changed")
    assert take_over(api, project, data, match='"0"').status_code == 200


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"PK\3\4", b'{"OTIO_SCHEMA": "Clip.1"}'])
def test_what_is_no_timeline_is_refused(api: APIClient, ann: User, data: bytes) -> None:
    assert code(take_over(api, project_of(ann), data)) == (422, "otio_invalid")


def test_nobody_sees_or_changes_that_of_another(api: APIClient) -> None:
    other = project_of(make_user(), a="a")
    assert code(api.get(address(other))) == (404, "not_found")
    assert code(take_over(api, other, file(track(shot("a"))))) == (404, "not_found")
    assert APIClient().get(address(other)).status_code == 401
