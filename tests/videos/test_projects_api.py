"""The API of projects: materials with names, a timeline that nobody overwrites unseen, undo and redo."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from tests.builders import make_user
from tests.videos.test_videos_api import Meanwhile, code, make_video
from videos import cleanup, projects
from videos.models import Export, Material, Project, TimelineVersion, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def make_project(owner: User, *, videos: int = 0, **fields: Any) -> Project:
    """A project with so many materials, called `video-` and their ids."""
    project = Project.objects.create(owner=owner, **{"name": "cut", **fields})
    for _ in range(videos):
        video = make_video(owner)
        Material.objects.create(project=project, video=video, name=f"video-{video.pk}", place=project.materials.count())
    return project


def cut(*names: str, seconds: int = 1) -> dict[str, Any]:
    """A timeline with one clip of each material, end to end."""
    length = seconds * 1_000_000
    clips = [{"start": n * length, "duration": length, "material": name} for n, name in enumerate(names)]
    return {"tracks": [{"kind": "video", "clips": clips}]}


def names_in(api: APIClient, project: Project) -> list[str]:
    return [one["name"] for one in api.get(f"/api/projects/{project.pk}/materials/").json()["results"]]


def put(api: APIClient, project: Project, document: Any, match: str | None = "*") -> Any:
    headers = {} if match is None else {"If-Match": match}
    return api.put(f"/api/projects/{project.pk}/timeline/", document, format="json", headers=headers)


def step(api: APIClient, project: Project, way: str, **headers: str) -> Any:
    return api.post(f"/api/projects/{project.pk}/timeline/{way}/", headers=headers)


def current(api: APIClient, project: Project) -> tuple[str, Any]:
    """The ETag of the timeline, and how many clips it has on its first track."""
    answer = api.get(f"/api/projects/{project.pk}/timeline/")
    assert answer.status_code == 200
    tracks = answer.json()["tracks"]
    return answer.headers["ETag"], len(tracks[0]["clips"]) if tracks else 0


# -- projects --------------------------------------------------------------------------------------------


def test_a_project_is_made_renamed_deleted_and_restored(api: APIClient, ann: User) -> None:
    made = api.post("/api/projects/", {"name": "第一集 🎬"})
    assert (made.status_code, made.json()["name"], made.json()["version"]) == (201, "第一集 🎬", 0)
    address = made.json()["urls"]["self"]
    assert api.patch(address, {"name": "new", "owner": 7, "version": 5}).json()["name"] == "new"
    assert Project.objects.filter(owner=ann, version=0, name="new").exists()
    assert api.delete(address).status_code == 204
    assert api.get("/api/projects/").json()["results"] == []
    assert [one["name"] for one in api.get("/api/projects/", {"deleted": "true"}).json()["results"]] == ["new"]
    assert api.post(f"{address}restore/").json()["deleted_at"] is None
    assert [one["name"] for one in api.get("/api/projects/", {"name": "EW"}).json()["results"]] == ["new"]


def test_nobody_sees_or_touches_the_project_of_another(api: APIClient) -> None:
    other = make_project(make_user(), videos=1)
    material = other.materials.get()
    address = f"/api/projects/{other.pk}/"
    assert api.get("/api/projects/").json()["results"] == []
    for path in ("", "materials/", "timeline/", "timeline/schema/", "exports/"):
        assert code(api.get(address + path)) == (404, "not_found"), path
    for path in ("restore/", "timeline/undo/", "timeline/redo/", "exports/", "materials/"):
        assert code(api.post(address + path)) == (404, "not_found"), path
    assert code(put(api, other, cut())) == code(api.delete(address)) == (404, "not_found")
    assert code(api.delete(f"{address}materials/{material.pk}/")) == (404, "not_found")
    assert code(api.patch(f"{address}materials/{material.pk}/", {"place": 0})) == (404, "not_found")


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\0b", None], ids=repr)
def test_a_name_that_is_none_is_refused(api: APIClient, name: Any) -> None:
    assert code(api.post("/api/projects/", {"name": name}, format="json")) == (400, "invalid")


def test_a_deleted_project_is_not_changed_until_it_is_restored(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1, deleted_at=timezone.now())
    material, video = project.materials.get(), make_video(ann)
    address = f"/api/projects/{project.pk}/"
    deleted = (409, "project_deleted")
    assert code(api.post(f"{address}materials/", {"video": video.pk})) == deleted
    assert code(api.delete(f"{address}materials/{material.pk}/")) == deleted
    assert code(put(api, project, cut())) == code(step(api, project, "undo")) == deleted
    assert code(api.post(f"{address}exports/")) == deleted


# -- materials -------------------------------------------------------------------------------------------


def test_a_material_is_called_by_its_videos_id_unless_it_is_given_a_name(api: APIClient, ann: User) -> None:
    project, video = make_project(ann), make_video(ann, title="holiday")
    address = f"/api/projects/{project.pk}/materials/"
    first = api.post(address, {"video": video.pk})
    assert first.status_code == 201
    assert (first.json()["name"], first.json()["place"]) == (f"video-{video.pk}", 0)
    assert (first.json()["video"]["id"], first.json()["video"]["title"]) == (video.pk, "holiday")
    api.post(address, {"video": video.pk, "name": "片头"})
    api.post(address, {"video": video.pk})
    assert names_in(api, project) == [f"video-{video.pk}", "片头", f"video-{video.pk}-2"]
    assert code(api.post(address, {"video": video.pk, "name": "片头"})) == (409, "material_name_taken")


@pytest.mark.parametrize("name", ["a b", "a/b", "../x", "x" * 101, "a\0", "\u202e", "<b>"], ids=repr)
def test_the_name_of_a_material_is_a_word(api: APIClient, ann: User, name: str) -> None:
    project = make_project(ann)
    said = {"video": make_video(ann).pk, "name": name}
    assert code(api.post(f"/api/projects/{project.pk}/materials/", said)) == (400, "invalid")


def test_only_a_video_of_ones_own_with_a_file_becomes_a_material(api: APIClient, ann: User) -> None:
    address = f"/api/projects/{make_project(ann).pk}/materials/"

    def add(video: Video) -> Any:
        return api.post(address, {"video": video.pk})

    assert code(add(make_video(make_user()))) == code(api.post(address, {"video": 999})) == (400, "invalid")
    assert code(add(make_video(ann, deleted_at=timezone.now()))) == (409, "video_deleted")
    assert code(add(make_video(ann, source=""))) == (410, "source_gone")
    assert not Material.objects.exists()


def test_materials_are_moved_and_removed(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=3)
    a, b, c = project.materials.all()
    address = f"/api/projects/{project.pk}/materials/"
    assert api.patch(f"{address}{c.pk}/", {"place": 0}).json()["place"] == 0
    assert names_in(api, project) == [c.name, a.name, b.name]
    assert api.patch(f"{address}{c.pk}/", {"place": 1000}).json()["place"] == 2
    assert names_in(api, project) == [a.name, b.name, c.name]
    assert api.delete(f"{address}{b.pk}/").status_code == 204
    assert names_in(api, project) == [a.name, c.name]
    assert Video.objects.filter(materials=None).exists(), "its video stays"


def test_a_material_may_be_given_another_video_and_keeps_its_name(api: APIClient, ann: User) -> None:
    project, other = make_project(ann, videos=1), make_video(ann)
    material = project.materials.get()
    address = f"/api/projects/{project.pk}/materials/{material.pk}/"
    said = api.patch(address, {"video": other.pk}).json()
    assert (said["name"], said["video"]["id"]) == (material.name, other.pk)
    assert code(api.patch(address, {"video": make_video(make_user()).pk})) == (400, "invalid")


def test_a_material_outlives_its_video_and_says_so(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    Video.objects.update(deleted_at=timezone.now() - timedelta(days=8))
    cleanup.clean_up(timezone.now())
    assert not Video.objects.exists()
    listed = api.get(f"/api/projects/{project.pk}/materials/").json()["results"]
    assert [one["video"] for one in listed] == [None]
    assert code(api.post(f"/api/projects/{project.pk}/exports/")) == (422, "material_gone")


def test_a_project_takes_only_so_many_materials(api: APIClient, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MOST_MATERIALS", 2)
    project = make_project(ann, videos=2)
    answer = api.post(f"/api/projects/{project.pk}/materials/", {"video": make_video(ann).pk})
    assert code(answer) == (422, "materials_too_many")


def test_the_materials_cost_the_same_however_many_they_are(
    api: APIClient, ann: User, django_assert_num_queries: Any
) -> None:
    project = make_project(ann, videos=4)
    with django_assert_num_queries(2):
        assert len(names_in(api, project)) == 4


def test_materials_come_in_pages(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=3)
    page = api.get(f"/api/projects/{project.pk}/materials/", {"page_size": 2}).json()
    rest = api.get(page["next"]).json()
    assert [one["name"] for one in page["results"] + rest["results"]] == names_in(api, project)


# -- the timeline ----------------------------------------------------------------------------------------


def test_a_project_without_a_timeline_has_the_empty_one(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    assert current(api, project) == ('"0"', 0)
    answer = put(api, project, api.get(f"/api/projects/{project.pk}/timeline/").json(), '"0"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')


def test_what_was_put_is_what_is_got(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=2)
    document = cut(*project.materials.values_list("name", flat=True)) | {"canvas": {"rate": "30000/1001"}}
    assert put(api, project, document, '"0"').json() == document
    answer = api.get(f"/api/projects/{project.pk}/timeline/")
    assert (answer.json(), answer.headers["ETag"]) == (document, '"1"')
    known = api.get(f"/api/projects/{project.pk}/timeline/", headers={"If-None-Match": '"1"'})
    assert (known.status_code, known.content) == (304, b"")
    assert api.get(f"/api/projects/{project.pk}/").json()["version"] == 1


def test_nobody_overwrites_what_they_have_not_seen(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    name = project.materials.get().name
    assert code(put(api, project, cut(name), None)) == (428, "precondition_required")
    assert put(api, project, cut(name), '"0"').status_code == 200
    for stale in ('"0"', '"2"', 'W/"1"', '"1x"', "1", '"x", "0"', f'"{"9" * 5000}"', ""):
        assert code(put(api, project, cut(), stale)) == (412, "timeline_changed"), stale
    assert current(api, project) == ('"1"', 1)
    assert put(api, project, cut(), '"7", "1"').headers["ETag"] == '"2"'
    assert put(api, project, cut(name), "*").headers["ETag"] == '"3"'


@pytest.mark.django_db(transaction=True)
def test_of_those_that_save_at_once_one_succeeds_and_the_others_are_told_to_look_again(ann: User) -> None:
    project = make_project(ann, videos=1)
    barrier = threading.Barrier(3)

    def save(_: int) -> int:
        client = APIClient()
        client.force_authenticate(ann)
        try:
            barrier.wait()
            return int(put(client, project, cut(), '"0"').status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(save, range(3))) == [200, 412, 412]
    assert list(project.versions.values_list("number", "before")) == [(1, 0)]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (
            {"tracks": [{"kind": "video", "clips": [{"start": -1, "duration": 1, "material": "a"}]}]},
            "tracks[0].clips[0].start",
        ),
        ({"canvas": {"width": 15}}, "canvas.width"),
        ({"canvas": {"rate": "1/0"}}, "canvas.rate"),
        ({"nonsense": 1}, "nonsense"),
        ([], ""),
        ("text", ""),
    ],
    ids=repr,
)
def test_a_timeline_that_is_wrong_is_refused_with_the_path_of_each_field(
    api: APIClient, ann: User, document: Any, path: str
) -> None:
    answer = put(api, make_project(ann), document)
    assert code(answer) == (422, "timeline_invalid")
    assert answer.json()["error"]["details"]["problems"][0]["path"] == path
    assert not TimelineVersion.objects.exists()


def test_a_material_that_the_project_does_not_have_is_named_with_its_path(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    answer = put(api, project, cut(project.materials.get().name, "video-999"))
    assert code(answer) == (422, "timeline_material_unknown")
    assert answer.json()["error"]["details"]["problems"] == [
        {"path": "tracks[0].clips[1].material", "problem": "The project has no material called video-999"}
    ]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"{", b"NaN", b'{"canvas": {"width": 1e400}}', b'{"\\ud800": 1}', b"[" * 50_000),
        b'{"tracks": [{"kind": "video", "clips": [{"start": 0, "duration": 1, "material": "\\ud800\\u0000"}]}]}',
        b'{"tracks": [{"kind": "video", "clips": [{"start": 0, "duration": 1, "material": "a", "speed": 1e400}]}]}',
        b'{"canvas": {"rate": 1e400}}',
        b'{"canvas": {"rate": "1e999999999"}}',
        b'{"canvas": {"rate": "' + b"9" * 5000 + b'"}}',
    ],
    ids=lambda body: body[:60].decode(),
)
def test_no_body_is_a_bug_of_ours(api: APIClient, ann: User, body: bytes) -> None:
    project = make_project(ann)
    address = f"/api/projects/{project.pk}/timeline/"
    answer = api.put(address, body, content_type="application/json", headers={"If-Match": "*"})
    assert code(answer)[0] in (400, 422)
    assert not TimelineVersion.objects.exists()


def test_a_form_is_no_timeline(api: APIClient, ann: User) -> None:
    address = f"/api/projects/{make_project(ann).pk}/timeline/"
    answer = api.put(address, {"tracks": "x"}, format="multipart", headers={"If-Match": "*"})
    assert code(answer) == (415, "unsupported_media_type")


def test_the_schema_describes_what_is_taken(api: APIClient, ann: User) -> None:
    schema = api.get(f"/api/projects/{make_project(ann).pk}/timeline/schema/").json()
    assert schema["type"] == "object"
    assert {"canvas", "tracks"} <= set(schema["properties"])


def test_undo_and_redo_go_through_the_versions(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    name = project.materials.get().name
    for clips in (1, 2, 3):
        put(api, project, cut(*[name] * clips))
    assert code(step(api, project, "redo")) == (409, "nothing_to_redo")
    assert [step(api, project, "undo").headers["ETag"] for _ in range(3)] == ['"2"', '"1"', '"0"']
    assert current(api, project) == ('"0"', 0)
    assert code(step(api, project, "undo")) == (409, "nothing_to_undo")
    assert [step(api, project, "redo").headers["ETag"] for _ in range(3)] == ['"1"', '"2"', '"3"']
    assert current(api, project) == ('"3"', 3)


def test_who_edits_after_an_undo_goes_on_from_there(api: APIClient, ann: User) -> None:
    project = make_project(ann, videos=1)
    name = project.materials.get().name
    for clips in (1, 2, 3):
        put(api, project, cut(*[name] * clips))
    step(api, project, "undo")
    assert put(api, project, cut(*[name] * 7), '"2"').headers["ETag"] == '"4"'
    assert code(step(api, project, "redo")) == (409, "nothing_to_redo")
    assert step(api, project, "undo").headers["ETag"] == '"2"', "not the one that was undone"
    assert step(api, project, "redo").headers["ETag"] == '"4"'
    assert current(api, project) == ('"4"', 7)


def test_an_edit_of_an_old_version_can_be_undone(api: APIClient, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "_KEEP_VERSIONS", 3)
    project = make_project(ann, videos=1)
    name = project.materials.get().name
    for clips in (1, 2, 3):
        put(api, project, cut(*[name] * clips))
    for _ in range(2):
        step(api, project, "undo")
    put(api, project, cut(*[name] * 4))
    assert step(api, project, "undo").headers["ETag"] == '"1"'
    assert current(api, project) == ('"1"', 1)


def test_an_undo_of_what_one_has_not_seen_is_refused_to_those_who_ask(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    put(api, project, cut())
    assert code(step(api, project, "undo", **{"If-Match": '"0"'})) == (412, "timeline_changed")
    assert step(api, project, "undo", **{"If-Match": '"1"'}).status_code == 200


def test_old_versions_go_and_nothing_is_left_to_undo_then(
    api: APIClient, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "_KEEP_VERSIONS", 3)
    project = make_project(ann)
    for _ in range(5):
        put(api, project, cut())
    assert list(project.versions.values_list("number", flat=True)) == [3, 4, 5]
    assert [step(api, project, "undo").status_code for _ in range(3)] == [200, 200, 409]
    assert current(api, project) == ('"3"', 0)


# -- the database, the admin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        lambda project: Project.objects.create(owner=project.owner, name=""),
        lambda project: Material.objects.create(project=project, name="", place=0),
        lambda project: [Material.objects.create(project=project, name="a", place=0) for _ in range(2)],
        lambda project: TimelineVersion.objects.create(project=project, number=1, before=1, document={}),
        lambda project: [
            TimelineVersion.objects.create(project=project, number=1, before=0, document={}) for _ in range(2)
        ],
        lambda project: Export.objects.create(project=project, source="timeline", version=0, materials=[]),
        lambda project: Export.objects.create(project=project, source="materials", version=0, materials=[], file="x"),
        lambda project: Export.objects.create(project=project, source="materials", version=0, materials=[], size=1),
    ],
)
def test_the_database_refuses_what_can_not_be(ann: User, rows: Any) -> None:
    project = make_project(ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows(project)


def test_the_admin_shows_projects_and_deletes_them_for_a_while(ann: User) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    project = make_project(ann, videos=2)
    projects.save(project.pk, cut(project.materials.all()[0].name), expected=None)
    listed = operator.get(reverse("admin:videos_project_changelist"))
    assert "cut" in listed.text
    page = operator.get(reverse("admin:videos_project_change", args=[project.pk]))
    assert project.materials.all()[1].name in page.text
    for action, deleted in (("delete_for_a_while", True), ("restore", False)):
        said = {"action": action, "_selected_action": [project.pk]}
        assert operator.post(reverse("admin:videos_project_changelist"), said).status_code == 302
        assert bool(Project.objects.get(pk=project.pk).deleted_at) is deleted


def test_a_rename_in_the_admin_takes_no_version_back(ann: User) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    project = make_project(ann)
    forms = {"materials-TOTAL_FORMS": 0, "materials-INITIAL_FORMS": 0}
    meanwhile = Meanwhile('UPDATE "videos_project"', lambda: projects.save(project.pk, cut(), expected=None))
    with connection.execute_wrapper(meanwhile):
        address = reverse("admin:videos_project_change", args=[project.pk])
        assert operator.post(address, {"name": "new", **forms}).status_code == 302
    assert meanwhile.done
    assert Project.objects.filter(pk=project.pk, name="new", version=1).exists()
