"""Subtitles laid into a timeline from files, over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.builders import make_user
from tests.videos.test_projects_api import cut, make_project, put, step
from tests.videos.test_videos_api import code
from videos import projects
from videos.models import Project
from videos.timeline import subtitles

pytestmark = pytest.mark.django_db

SUBRIP = "1\n00:00:01,000 --> 00:00:02,500\n你好，<i>Anna</i>\n\n2\n00:00:03,000 --> 00:00:04,000\n再见\n"
WEB = "WEBVTT\n\n00:01.000 --> 00:02.500\nother\n"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def project(ann: User) -> Project:
    return make_project(ann)


def lay(
    api: APIClient,
    project: Project,
    body: bytes | str,
    query: str = "",
    match: str | None = "*",
    kind: str = "text/srt",
) -> Any:
    headers = {} if match is None else {"If-Match": match}
    address = f"/api/projects/{project.pk}/timeline/subtitles/{query}"
    return api.post(address, body, content_type=kind, headers=headers)


def say(api: APIClient, project: Project, said: Any, query: str = "") -> Any:
    return lay(api, project, json.dumps(said), query, kind="application/json")


def texts(answer: Any, track: int = -1) -> list[tuple[float, float, str]]:
    assert answer.status_code == 200, answer.content
    found = answer.json()["tracks"][track]
    assert found["kind"] == "subtitles"
    return [(one["start"] / 1e6, one["duration"] / 1e6, one["text"]) for one in found["texts"]]


SAID = [(1, 1.5, "你好，Anna"), (3, 1, "再见")]


def test_a_file_becomes_a_track_over_all_others(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    assert put(api, project, cut(project.materials.get().name)).status_code == 200
    answer = lay(api, project, SUBRIP, match='"1"')
    assert (texts(answer), answer.headers["ETag"]) == (SAID, '"2"')
    assert [track["kind"] for track in answer.json()["tracks"]] == ["video", "subtitles"]
    (span,) = answer.json()["tracks"][1]["texts"][0]["spans"]
    assert (span["first"], span["after"], span["style"]["italic"]) == (3, 7, True)
    assert api.get(f"/api/projects/{project.pk}/timeline/").json() == answer.json()
    assert texts(lay(api, project, WEB, kind="text/vtt")) == [(1, 1.5, "other")]
    assert len(step(api, project, "undo").json()["tracks"]) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
def test_it_may_be_in_the_encodings_that_there_are(api: APIClient, project: Project, encoding: str) -> None:
    assert texts(lay(api, project, SUBRIP.encode(encoding))) == SAID


@pytest.mark.parametrize("kind", ["application/x-subrip", "application/octet-stream", "text/plain", "nonsense/x"])
def test_a_body_is_taken_as_it_came_whatever_it_is_said_to_be(api: APIClient, project: Project, kind: str) -> None:
    assert texts(lay(api, project, SUBRIP, kind=kind)) == SAID


def test_the_text_may_be_a_field_of_json(api: APIClient, project: Project) -> None:
    assert texts(say(api, project, {"text": SUBRIP})) == SAID


def test_a_track_says_something_else_and_goes_on_looking_alike(api: APIClient, project: Project) -> None:
    style = {"size": 0.1, "colour": "#ff0000"}
    old = {"start": 5, "duration": 10, "text": "old", "style": style, "transform": {"y": -0.4}, "width": 0.5}
    tracks = [
        {"kind": "subtitles", "texts": [old], "hidden": True},
        {"kind": "text", "texts": [{"start": 0, "duration": 9, "text": "title"}]},
        {"kind": "subtitles"},
    ]
    assert put(api, project, {"tracks": tracks}).status_code == 200
    answer = lay(api, project, SUBRIP, "?track=0")
    assert texts(answer, 0) == SAID
    (first, second, third) = answer.json()["tracks"]
    assert (first["hidden"], second["texts"][0]["text"], third["texts"]) == (True, "title", [])
    for text in first["texts"]:
        assert (text["style"]["colour"], text["transform"]["y"], text["width"]) == ("#ff0000", -0.4, 0.5)
    assert first["texts"][0]["spans"][0]["style"]["colour"] == "#ff0000"
    assert texts(lay(api, project, WEB, "?track=2")) == [(1, 1.5, "other")]
    answer = lay(api, project, WEB, "?track=1")
    assert code(answer) == (422, "subtitles_track_unknown")
    assert answer.json()["error"]["details"] == {"tracks": [0, 2]}
    assert code(lay(api, project, WEB, "?track=3")) == (422, "subtitles_track_unknown")


def test_nothing_that_somebody_else_did_meanwhile_is_lost(
    api: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code(lay(api, project, SUBRIP, match=None)) == (428, "precondition_required")
    assert put(api, project, {"tracks": []}).status_code == 200
    assert code(lay(api, project, SUBRIP, match='"0"')) == (412, "timeline_changed")
    read = subtitles.read

    def slowly(*said: Any, **more: Any) -> Any:
        projects.save(project.pk, {"tracks": [{"kind": "text"}]}, expected=None)
        return read(*said, **more)

    monkeypatch.setattr(subtitles, "read", slowly)
    assert code(lay(api, project, SUBRIP)) == (412, "timeline_changed")
    assert code(lay(api, project, SUBRIP, match='"2", "3"')) == (412, "timeline_changed")
    assert [track["kind"] for track in api.get(f"/api/projects/{project.pk}/timeline/").json()["tracks"]] == ["text"]


@pytest.mark.parametrize(
    ("body", "status", "word", "line"),
    [
        (b"", 422, "subtitles_missing", None),
        (b"\n \n", 422, "subtitles_missing", None),
        (b"WEBVTT\n\nNOTE nothing\n", 422, "subtitles_missing", None),
        ((SUBRIP + "\nand more\n").encode(), 422, "subtitles_invalid", 9),
        (SUBRIP.replace("3,000", "5,000").encode("gb18030"), 422, "subtitles_invalid", 6),
        ("00:00:01,000 --> 00:00:02,000\nétéé".encode("latin-1"), 422, "subtitles_invalid", 2),
        (b"00:00:01,000 --> 00:00:02,000\na\0", 422, "subtitles_invalid", 2),
        (b"\xff\xfe\x00\xd8", 422, "subtitles_invalid", 1),
        (b"\x00", 422, "subtitles_invalid", 1),
        (b"PK\x03\x04", 422, "subtitles_invalid", 1),
    ],
    ids=range(10),
)
def test_a_file_that_can_not_be_read_is_refused_by_its_line(
    api: APIClient, project: Project, body: bytes, status: int, word: str, line: int | None
) -> None:
    answer = lay(api, project, body)
    assert code(answer) == (status, word)
    assert answer.json()["error"]["details"].get("line") == line
    assert Project.objects.get().version == 0


@pytest.mark.parametrize(
    "said", [{}, {"text": 7}, {"text": ""}, {"text": None}, {"text": "a\0"}, {"text": "\ud800"}, [], "x", None], ids=str
)
def test_json_without_a_text_is_refused(api: APIClient, project: Project, said: Any) -> None:
    assert code(say(api, project, said))[0] in (400, 422)


@pytest.mark.parametrize("query", ["?track=-1", "?track=x", "?track=1e9", "?track=99999999999999999999", "?track=%00"])
def test_a_number_that_is_none_is_refused(api: APIClient, project: Project, query: str) -> None:
    assert code(lay(api, project, SUBRIP, query)) == (400, "invalid")


def test_more_tracks_than_there_may_be_are_refused(api: APIClient, project: Project) -> None:
    assert put(api, project, {"tracks": [{"kind": "text"}] * 100}).status_code == 200
    assert code(lay(api, project, SUBRIP)) == (422, "timeline_invalid")


def test_nobody_elses_timeline_is_touched(api: APIClient, project: Project) -> None:
    other = APIClient()
    other.force_authenticate(make_user())
    assert code(lay(other, project, SUBRIP)) == (404, "not_found")
    assert code(lay(APIClient(), project, SUBRIP)) == (401, "not_authenticated")
    projects.delete(project, by="ann")
    assert code(lay(api, project, SUBRIP))[0] in (404, 409)
