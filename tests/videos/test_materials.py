"""Stills and sounds as materials: under names of their own, and in films."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.testing import run
from tests.builders import make_user
from tests.videos.clips import make_clip
from tests.videos.test_cleanup import clean_up
from tests.videos.test_exports import exported, look, order, recorded
from tests.videos.test_media import picture, prepared, send, signed_in
from tests.videos.test_projects_api import cut, make_project, names_in, put
from tests.videos.test_videos_api import code, make_video
from videos import storage
from videos.models import Material, Medium, Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of picture and sound."""
    return make_clip(tmp_path_factory.mktemp("film") / "film.mp4", seconds=1, size="160x120").read_bytes()


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    return signed_in(ann)


@pytest.fixture
def project(ann: User) -> Project:
    return make_project(ann)


@pytest.fixture
def still(api: APIClient) -> Medium:
    return prepared(api, picture(), "still", file_name="Strand.jpg")


@pytest.fixture
def sound(api: APIClient, film: bytes) -> Medium:
    return prepared(api, film, "sound", file_name="Wellen.mp4")


def add(api: APIClient, project: Project, **said: Any) -> Any:
    return api.post(f"/api/projects/{project.pk}/materials/", said)


def test_they_are_called_by_kind_and_id_unless_they_are_given_a_name(
    api: APIClient, project: Project, still: Medium, sound: Medium
) -> None:
    first = add(api, project, still=still.pk)
    assert first.status_code == 201, first.content
    assert first.json() == {
        "id": project.materials.get().pk,
        "name": f"still-{still.pk}",
        "place": 0,
        "kind": "still",
        "video": None,
        "sound": None,
        "still": {
            "id": still.pk,
            "title": "Strand",
            "status": "ready",
            "width": 64,
            "height": 32,
            "thumbnail_url": still.thumbnail_url,
            "deleted_at": None,
        },
    }
    second = add(api, project, sound=sound.pk).json()
    assert (second["name"], second["kind"], second["video"], second["still"]) == (
        *(f"sound-{sound.pk}", "sound", None, None),
    )
    assert (second["sound"]["title"], second["sound"]["duration"]) == ("Wellen", pytest.approx(1, abs=0.1))
    add(api, project, still=still.pk)
    add(api, project, sound=sound.pk, name="sea")
    assert names_in(api, project) == [f"still-{still.pk}", f"sound-{sound.pk}", f"still-{still.pk}-2", "sea"]


def test_a_material_is_one_thing_and_ones_own(api: APIClient, project: Project, still: Medium, ann: User) -> None:
    theirs = prepared(signed_in(make_user()), picture("PNG"), "still")
    video = make_video(ann)
    for said in ({}, {"name": "a"}, {"still": still.pk, "video": video.pk}, {"sound": still.pk}, {"still": theirs.pk}):
        assert code(add(api, project, **said)) == (400, "invalid"), said
    assert not project.materials.exists()


def test_what_was_deleted_or_failed_is_no_material(api: APIClient, project: Project, still: Medium) -> None:
    Medium.objects.update(deleted_at=timezone.now())
    assert code(add(api, project, still=still.pk)) == (409, "medium_deleted")
    failed = prepared(api, b"no picture", "still")
    assert code(add(api, project, still=failed.pk)) == (410, "source_gone")


def test_what_is_being_prepared_is_a_material_but_no_film_is_made_of_it_yet(api: APIClient, project: Project) -> None:
    said = send(api, picture(), "still").json()
    added = add(api, project, still=said["still"]["id"], name="beach")
    assert (added.status_code, added.json()["still"]["status"]) == (201, "processing")
    answer = order(api, project)
    assert code(answer) == (409, "material_not_ready")
    assert answer.json()["error"]["details"] == {"material": "beach"}
    run(said["job"]["id"])
    assert order(api, project).status_code == 202


def test_a_material_may_become_something_of_another_kind_and_keeps_its_name(
    api: APIClient, ann: User, still: Medium, sound: Medium
) -> None:
    project = make_project(ann, videos=1)
    material = project.materials.get()
    address = f"/api/projects/{project.pk}/materials/{material.pk}/"
    for said in ({"still": still.pk}, {"sound": sound.pk}, {"video": material.video_id}):
        ((kind, pk),) = said.items()
        found = api.patch(address, said).json()
        assert (found["name"], found["kind"], found[kind]["id"]) == (material.name, kind, pk)
    assert code(api.patch(address, {"still": still.pk, "sound": sound.pk})) == (400, "invalid")
    assert code(api.patch(address, {"still": 999})) == (400, "invalid")


def test_a_material_outlives_its_still_and_says_so(api: APIClient, project: Project, still: Medium) -> None:
    add(api, project, still=still.pk)
    job = order(api, project).json()["id"]
    Medium.objects.update(deleted_at=timezone.now())
    assert code(order(api, project)) == (422, "material_gone"), "it could be restored"
    Medium.objects.update(deleted_at=timezone.now() - timedelta(days=8))
    clean_up()
    (found,) = api.get(f"/api/projects/{project.pk}/materials/").json()["results"]
    assert (found["kind"], found["still"], found["video"], found["sound"]) == (None, None, None, None)
    assert code(order(api, project)) == (422, "material_gone")
    assert run(job).error_code == "material_gone"


def test_the_materials_cost_the_same_whatever_they_are(
    api: APIClient, ann: User, still: Medium, sound: Medium, django_assert_num_queries: Any
) -> None:
    project = make_project(ann, videos=2)
    for said in ({"still": still.pk}, {"sound": sound.pk}):
        add(api, project, **said)
    with django_assert_num_queries(2):
        assert len(names_in(api, project)) == 4


def test_the_database_knows_that_a_material_is_one_thing(ann: User, project: Project, still: Medium) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Material.objects.create(project=project, video=make_video(ann), medium=still, name="a", place=0)


def test_the_admin_shows_them_in_their_project(api: APIClient, project: Project, still: Medium) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    add(api, project, still=still.pk)
    assert "Strand" in operator.get(reverse("admin:videos_project_change", args=[project.pk])).text


# -- in films --------------------------------------------------------------------------------------------


def test_an_export_writes_down_what_each_material_is(api: APIClient, ann: User, still: Medium, sound: Medium) -> None:
    project = make_project(ann, videos=1)
    add(api, project, still=still.pk, name="a")
    add(api, project, sound=sound.pk, name="b")
    video = project.materials.all()[0]
    assert recorded(order(api, project)).materials == [
        {"name": video.name, "video": video.video_id},
        {"name": "a", "still": still.pk},
        {"name": "b", "sound": sound.pk},
    ]
    put(api, project, cut("b"))
    assert recorded(order(api, project)).materials == [{"name": "b", "sound": sound.pk}]


@pytest.mark.parametrize(("said", "seconds"), [({}, 5.0), ({"still_seconds": 1.5}, 1.5)], ids=str)
def test_a_still_has_its_time_among_materials_end_to_end(
    api: APIClient, project: Project, still: Medium, sound: Medium, said: dict[str, Any], seconds: float
) -> None:
    for what in ({"still": still.pk}, {"sound": sound.pk}):
        add(api, project, **what)
    export = recorded(order(api, project, format="wav", **said))
    assert export.options == said
    assert export.job
    done = run(export.job)
    assert done.status == "completed", done.error_message
    export.refresh_from_db()
    assert sound.duration
    assert look(export)["seconds"] == pytest.approx(seconds + sound.duration, abs=0.05)


def test_a_film_that_was_uploaded_as_sound_is_heard_and_not_seen(
    api: APIClient, project: Project, sound: Medium
) -> None:
    add(api, project, sound=sound.pk, name="sea")
    found = look(exported(project, width=160, height=90))
    assert (found["video"]["width"], found["video"]["height"]) == (160, 90)
    frame = storage.path_of(project.exports.get().file)
    assert is_black(frame), "its picture is not shown"
    put(api, project, {"tracks": [{"kind": "audio", "clips": cut("sea")["tracks"][0]["clips"]}]})
    assert "video" not in look(exported(project, format="m4a"))


def is_black(path: Path) -> bool:
    """Whether nothing is seen in the first frame."""
    argv = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
    ]
    said = subprocess.run([*argv, "-"], check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout
    return max(said) < 20


def test_a_still_is_seen_in_films_of_the_materials_and_of_the_timeline(
    api: APIClient, project: Project, still: Medium, sound: Medium
) -> None:
    for said in ({"still": still.pk, "name": "beach"}, {"sound": sound.pk, "name": "sea"}):
        add(api, project, **said)
    reel = exported(project, still_seconds=0.5)
    assert reel.duration == pytest.approx(1.5, abs=0.1)
    assert (look(reel)["video"]["width"], look(reel)["video"]["height"]) == (64, 32)
    assert colour_of(storage.path_of(reel.file)) == pytest.approx((254, 0, 0), abs=12)
    clips = cut("beach")["tracks"][0]["clips"]
    tracks = [{"kind": "video", "clips": clips}, {"kind": "audio", "clips": cut("sea")["tracks"][0]["clips"]}]
    put(api, project, {"canvas": {"width": 160, "height": 80}, "tracks": tracks})
    film = exported(project)
    assert film.duration == pytest.approx(1, abs=0.1)
    assert colour_of(storage.path_of(film.file)) == pytest.approx((254, 0, 0), abs=12)


def colour_of(film: Path) -> tuple[int, ...]:
    """What is seen in the lower right corner of the first frame."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), "-frames:v", "1"]
    argv += ["-vf", "crop=iw/4:ih/4:iw/2:ih/2,scale=1:1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    return tuple(subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout)
