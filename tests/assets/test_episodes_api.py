"""The API of episodes: made of pasted text and of files, one by one and several of one script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from assets import tasks
from assets.models import Asset, Episode
from jobs.models import Job
from jobs.testing import run
from tests.assets.builders import SCRIPT, make_episode, make_project
from tests.builders import make_user
from tests.videos.test_videos_api import code

pytestmark = pytest.mark.django_db

SERIAL = """第1集：重逢

1-1 日 内 客厅
人物：林晚、陈默
△林晚推门进来。
林晚：你怎么在这？
陈默：等你。

第2集：离别

2-1 夜 外 街边
人物：林晚
林晚：再见。
"""


def file_of(text: str | bytes, name: str = "pilot.fountain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)


def test_an_episode_is_made_of_pasted_text_changed_and_removed(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    made = api.post("/api/episodes/", {"project": project.pk, "title": "Pilot", "script": SCRIPT})
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["number"], told["title"], told["status"], told["error"]) == (1, "Pilot", "pending", None)
    assert told["script"] == SCRIPT
    assert told["length"] == len(SCRIPT)
    assert told["source_name"] == ""
    address = told["urls"]["self"]
    changed = api.patch(address, {"number": 7, "title": "第七集", "script": "INT. A - DAY\n\nNothing."})
    assert (changed.json()["number"], changed.json()["title"]) == (7, "第七集")
    assert api.get(address).json()["script"] == "INT. A - DAY\n\nNothing."
    assert api.patch(address, {"title": ""}).json()["number"] == 7
    assert api.delete(address).status_code == 204
    assert code(api.get(address)) == (404, "not_found")


def test_an_episode_is_made_of_a_file(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    body = {"project": project.pk, "file": file_of(SCRIPT), "number": "3"}
    made = api.post("/api/episodes/", body, format="multipart")
    assert made.status_code == 201, made.content
    assert (made.json()["number"], made.json()["source_name"]) == (3, "pilot.fountain")
    assert made.json()["script_format"] == "fountain"
    assert "Who wrote this?" in made.json()["script"]
    again = api.patch(
        made.json()["urls"]["self"], {"file": file_of("INT. B - DAY\n\nNew.", "b.txt")}, format="multipart"
    )
    assert (again.json()["source_name"], again.json()["script"]) == ("b.txt", "INT. B - DAY\n\nNew.")


def test_episodes_without_numbers_follow_each_other(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    numbers = [api.post("/api/episodes/", {"project": project.pk}).json()["number"] for _ in range(2)]
    api.post("/api/episodes/", {"project": project.pk, "number": 10})
    assert [*numbers, api.post("/api/episodes/", {"project": project.pk}).json()["number"]] == [1, 2, 11]


def test_one_script_becomes_the_episodes_that_it_holds(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    address = f"/api/projects/{project.pk}/episodes/"
    made = api.post(address, {"file": file_of(SERIAL, "剧本.txt")}, format="multipart")
    assert made.status_code == 201, made.content
    assert [(one["number"], one["title"]) for one in made.json()] == [(1, "重逢"), (2, "离别")]
    listed = api.get(address).json()["results"]
    assert [one["number"] for one in listed] == [1, 2]
    assert "script" not in listed[0]
    second = api.get(listed[1]["urls"]["self"]).json()
    assert "再见" in second["script"]
    assert "你怎么在这" not in second["script"]
    assert second["source_name"] == "剧本.txt"


def test_episodes_of_a_script_are_made_all_or_none(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    make_episode(project, number=2)
    refused = api.post(f"/api/projects/{project.pk}/episodes/", {"script": SERIAL})
    assert code(refused) == (409, "episode_number_taken")
    assert refused.json()["error"]["details"] == {"numbers": [2]}
    assert project.episodes.count() == 1


def test_a_script_without_marks_of_episodes_is_the_next_one(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    address = f"/api/projects/{project.pk}/episodes/"
    for number in (1, 2):
        made = api.post(address, {"script": SCRIPT})
        assert [one["number"] for one in made.json()] == [number], made.content


def test_the_list_has_filters_by_field(api: APIClient, ann: User) -> None:
    project, other = make_project(ann), make_project(ann)
    first, second = make_episode(project, title="One"), make_episode(project, title="Two")
    make_episode(other, title="Three")

    def titles(**filters: Any) -> list[str]:
        return [one["title"] for one in api.get("/api/episodes/", filters).json()["results"]]

    assert titles() == ["Three", "Two", "One"]
    assert titles(project=project.pk) == ["Two", "One"]
    assert titles(number=1, title="ON") == ["One"]
    run(tasks.start(first.pk))
    tasks.start(second.pk)
    assert (titles(status="completed"), titles(status="analysing")) == (["One"], ["Two"])
    assert (titles(status="pending"), titles(status="failed")) == (["Three"], [])
    assert code(api.get("/api/episodes/", {"status": "lost"})) == (400, "invalid")
    assert code(api.get("/api/episodes/", {"project": "x"})) == (400, "invalid")
    assert code(api.get("/api/episodes/", {"cursor": "cD14"})) == (404, "not_found")


def test_nobody_sees_or_touches_the_episodes_of_another(api: APIClient) -> None:
    other = make_episode(make_project(make_user()))
    address = f"/api/episodes/{other.pk}/"
    assert api.get("/api/episodes/").json()["results"] == []
    assert api.get("/api/episodes/", {"project": other.project_id}).json()["results"] == []
    assert code(api.get(address)) == code(api.patch(address, {"title": "x"})) == (404, "not_found")
    assert code(api.delete(address)) == code(api.post(f"{address}extract/")) == (404, "not_found")
    assert code(api.get(f"{address}extractions/")) == (404, "not_found")
    assert code(api.post("/api/episodes/", {"project": other.project_id})) == (400, "invalid")
    for path in ("episodes/", "episodes/extract/", "deduplicate/"):
        assert code(api.post(f"/api/projects/{other.project_id}/{path}", {"script": SCRIPT})) == (404, "not_found")
    assert Episode.objects.get().title == other.title


def test_the_episodes_of_a_deleted_project_are_gone_until_it_is_restored(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    address = f"/api/projects/{episode.project_id}/"
    api.delete(address)
    assert code(api.get(f"/api/episodes/{episode.pk}/")) == (404, "not_found")
    assert code(api.post(f"{address}episodes/", {"script": SCRIPT})) == (409, "project_deleted")
    assert code(api.post("/api/episodes/", {"project": episode.project_id})) == (409, "project_deleted")
    assert code(api.post(f"{address}episodes/extract/")) == (409, "project_deleted")
    api.post(f"{address}restore/")
    assert api.get(f"/api/episodes/{episode.pk}/").status_code == 200


def test_what_belongs_to_a_project_goes_with_it(ann: User) -> None:
    from videos import cleanup

    project = make_project(ann, "gone")
    run(tasks.start(make_episode(project).pk))
    assert Asset.objects.filter(project=project).exists()
    project.deleted_at = timezone.now()
    project.save()
    assert cleanup.purge_project(project)
    assert not Asset.objects.exists()
    assert not Episode.objects.exists()


def test_an_episode_that_is_being_analysed_keeps_its_script(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    address = f"/api/episodes/{episode.pk}/"
    job = tasks.start(episode.pk)
    assert code(api.patch(address, {"script": "INT. C - DAY\n\nOther."})) == (409, "episode_analysing")
    assert api.patch(address, {"title": "renamed"}).json()["title"] == "renamed"
    assert api.delete(address).status_code == 204
    assert Job.objects.get(pk=job.pk).status == "cancelled"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "invalid")),
        ({"project": "x"}, (400, "invalid")),
        ({"project": 2**70}, (400, "invalid")),
        ({"number": 0}, (400, "invalid")),
        ({"number": -1}, (400, "invalid")),
        ({"number": 2**40}, (400, "invalid")),
        ({"number": [1]}, (400, "invalid")),
        ({"title": "x" * 256}, (400, "invalid")),
        ({"title": "a\0b"}, (400, "invalid")),
        ({"script": "INT. A - DAY\0"}, (400, "invalid")),
        ({"script": "half \ud800"}, (400, "invalid")),
        ({"script": {"a": [1]}}, (400, "invalid")),
        ({"file": "no file"}, (400, "invalid")),
    ],
    ids=repr,
)
def test_what_is_no_episode_is_refused(api: APIClient, ann: User, body: dict[str, Any], expected: Any) -> None:
    project = make_project(ann)
    asked = {"project": project.pk, **body} if body else {}
    sent = api.post("/api/episodes/", json.dumps(asked), content_type="application/json")
    assert code(sent) == expected
    assert not Episode.objects.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"PK\x03\x04 no archive", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20],
    ids=lambda content: repr(content[:8]),
)
def test_a_file_that_is_no_script_is_refused(api: APIClient, ann: User, content: bytes) -> None:
    project = make_project(ann)
    for name in ("a.txt", "a.docx", "a.fdx"):
        body = {"project": project.pk, "file": file_of(content, name)}
        answer = api.post("/api/episodes/", body, format="multipart")
        assert answer.status_code in (400, 422), (name, answer.content)
        assert code(answer)[1] in ("invalid", "script_unreadable")
    assert not Episode.objects.exists()


def test_a_file_beyond_the_limit_is_refused(api: APIClient, ann: User, settings: Any) -> None:
    from dataclasses import replace

    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, script_bytes=100)
    project = make_project(ann)
    refused = api.post("/api/episodes/", {"project": project.pk, "file": file_of("x" * 101)}, format="multipart")
    assert code(refused) == (413, "script_too_large")
    assert refused.json()["error"]["details"] == {"max_bytes": 100}


def test_a_script_comes_as_text_or_as_a_file_and_a_number_once(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    both = {"project": project.pk, "file": file_of(SCRIPT), "script": SCRIPT}
    assert code(api.post("/api/episodes/", both, format="multipart")) == (400, "invalid")
    assert code(api.post(f"/api/projects/{project.pk}/episodes/", {"script": " "})) == (400, "invalid")
    episode = make_episode(project, number=4)
    assert code(api.post("/api/episodes/", {"project": project.pk, "number": 4})) == (409, "episode_number_taken")
    other = make_episode(project, number=5)
    assert code(api.patch(f"/api/episodes/{other.pk}/", {"number": 4})) == (409, "episode_number_taken")
    assert api.patch(f"/api/episodes/{episode.pk}/", {"number": 4}).status_code == 200
