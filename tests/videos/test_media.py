"""Stills and sounds: uploaded as videos are, prepared by a job, deleted for a while; or refused, and nothing left."""

from __future__ import annotations

import hashlib
import io
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageDraw
from rest_framework.test import APIClient

from jobs.models import Job
from jobs.task import JobTask
from jobs.testing import run
from tests.builders import make_user
from tests.files import files_under
from tests.videos.test_cleanup import NOTHING, age, clean_up
from tests.videos.test_serving import ask
from tests.videos.test_videos_api import code
from videos import preparing, storage, tasks
from videos.models import Medium, Upload, Video
from videos.uploads import sessions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

CHUNK = settings.JOINTO_VIDEOS.chunk_bytes
KIND: JobTask = tasks.prepare_material
DAY = timedelta(days=1)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    return signed_in(ann)


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def picture(form: str = "JPEG", *, size: tuple[int, int] = (64, 32), **options: Any) -> bytes:
    """A red picture with a white corner."""
    image = Image.new("RGB", size, (255, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="white")
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def sound() -> bytes:
    """A second and a half of WAV, in more than one chunk."""
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1.5:sample_rate=48000"]
    made = subprocess.run([*argv, "-f", "wav", "-"], check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout
    assert len(made) > CHUNK
    return made


def begin(api: APIClient, data: bytes, purpose: str, **wish: Any) -> Any:
    said = {"file_name": "Ferien.mp4", "file_size": len(data), "purpose": purpose, **wish}
    return api.post("/api/videos/uploads/", said)


def put(api: APIClient, upload: dict[str, Any], index: int, data: bytes) -> None:
    address = f"/api/videos/uploads/{upload['id']}/chunks/{index}/"
    piece = data[index * CHUNK : (index + 1) * CHUNK]
    assert api.put(address, piece, content_type="application/octet-stream").status_code == 204


def merge(api: APIClient, upload: dict[str, Any], **more: Any) -> Any:
    return api.post("/api/videos/merge-chunks/", {"upload_id": upload["id"], **more})


def send(api: APIClient, data: bytes, purpose: str, **wish: Any) -> Any:
    """All of it; the answer to the merge."""
    upload = begin(api, data, purpose, **wish).json()
    for index in range(upload["chunks_total"]):
        put(api, upload, index, data)
    return merge(api, upload)


def prepared(api: APIClient, data: bytes, purpose: str, **wish: Any) -> Medium:
    """A still or sound whose job has ended, however it did."""
    answer = send(api, data, purpose, **wish)
    assert answer.status_code == 202, answer.content
    run(answer.json()["job"]["id"])
    return Medium.objects.get(pk=answer.json()[purpose]["id"])


def files() -> list[str]:
    root = Path(settings.MEDIA_ROOT)
    assert files_under(settings.UPLOADS_DIR, settings.SCRATCH_DIR) == []
    return [path.relative_to(root).as_posix() for path in files_under(root)]


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


# -- how it is meant to go -------------------------------------------------------------------------------


def test_a_still_is_uploaded_as_a_video_is_and_prepared_by_a_job(api: APIClient, ann: User) -> None:
    answer = send(api, picture(), "still")
    assert answer.status_code == 202, answer.content
    said = answer.json()
    assert set(said) == {"detail", "still", "job"}
    assert (said["still"]["title"], said["still"]["status"], said["still"]["image_url"]) == (
        *("Ferien", "processing", None),
    )
    job = Job.objects.get(pk=said["job"]["id"])
    assert (job.kind, job.queue, job.owner_id) == ("videos.tasks.prepare_material", "media", ann.pk)
    assert job.subject == f"videos.Medium:{said['still']['id']}"
    assert run(job).result == {"medium_id": said["still"]["id"], "kind": "still", "width": 64, "height": 32}
    now = api.get(said["still"]["urls"]["self"]).json()
    assert (now["status"], now["width"], now["height"], now["alpha"]) == ("ready", 64, 32, False)
    assert now["sha256"] == sha256(picture())[7:]
    medium = Medium.objects.get()
    assert storage.path_of(medium.source).read_bytes() == picture(), "the original stays"
    with Image.open(storage.path_of(medium.file)) as found:
        assert (found.format, found.mode, found.getpixel((60, 30))) == ("PNG", "RGB", (254, 0, 0))
    assert not Video.objects.exists()


def test_a_sound_is_measured_and_stays_as_it_is(api: APIClient, sound: bytes) -> None:
    medium = prepared(api, sound, "sound")
    said = api.get(f"/api/sounds/{medium.pk}/").json()
    assert (said["status"], said["duration"], said["title"]) == ("ready", 1.5, "Ferien")
    assert medium.file == medium.source
    assert storage.path_of(medium.file).read_bytes() == sound
    assert files() == [medium.source]


def test_it_may_come_in_any_order_with_breaks_and_be_merged_twice(api: APIClient, sound: bytes) -> None:
    upload = begin(api, sound, "sound").json()
    put(api, upload, 1, sound)
    again = begin(api, sound, "sound")
    assert (again.status_code, again.json()["id"], again.json()["received"]) == (200, upload["id"], [[1, 1]])
    assert begin(api, sound, "still").json()["id"] != upload["id"], "what is to become of it is another thing"
    assert code(merge(api, upload)) == (409, "chunk_missing")
    for index in range(upload["chunks_total"]):
        put(api, upload, index, sound)
    first, second = merge(api, upload), merge(api, upload)
    assert first.json()["sound"]["id"] == second.json()["sound"]["id"]
    assert (Medium.objects.count(), Job.objects.count()) == (1, 1)
    found = api.get(f"/api/videos/uploads/{upload['id']}/").json()
    assert (found["sound"], found["still"], found["video"]) == (first.json()["sound"]["id"], None, None)


def test_known_content_is_there_at_once_for_the_same_purpose_and_user(api: APIClient) -> None:
    data = picture()
    medium = prepared(api, data, "still")
    answer = begin(api, data, "still", file_hash=sha256(data))
    assert (answer.status_code, answer.json()["instant"], answer.json()["still"]["id"]) == (200, True, medium.pk)
    assert begin(api, data, "sound", file_hash=sha256(data)).status_code == 201
    assert begin(api, data, "video", file_hash=sha256(data)).status_code == 201
    assert begin(signed_in(make_user()), data, "still", file_hash=sha256(data)).status_code == 201
    Medium.objects.update(deleted_at=timezone.now())
    assert begin(api, data, "still", file_hash=sha256(data)).status_code == 201


def test_a_job_that_is_done_once_more_replaces_what_the_first_made(api: APIClient) -> None:
    medium = prepared(api, picture(), "still")
    before = files()
    assert run(tasks.prepare(medium.pk)).status == "completed"
    after = files()
    assert (len(after), len(before), set(after) & set(before)) == (3, 3, {medium.source})
    assert storage.path_of(Medium.objects.get().file).is_file()


@pytest.mark.django_db(transaction=True)
def test_the_picture_is_served_to_its_owner_alone(api: APIClient, ann: User) -> None:
    prepared(api, picture(), "still")
    said = api.get("/api/stills/").json()["results"][0]
    for name, kind in (("image_url", "image/png"), ("thumbnail_url", "image/webp")):
        answer, body = ask(ann, said[name])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert body == (Path(settings.MEDIA_ROOT) / said[name].removeprefix(settings.MEDIA_URL)).read_bytes()
        assert ask(make_user(), said[name])[0].status_code == 404
        assert ask(ann, f"{said[name].rpartition('/')[0]}/other.png")[0].status_code == 404


# -- what can be wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "data", "expected"),
    [
        ("still", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_still"),
        ("still", b"PK\x03\x04 named .png", "not_a_still"),
        ("still", picture(size=(640, 320), quality=95)[:1500], "media_truncated"),
        ("sound", b"no sound at all", "not_a_video"),
        ("sound", picture("PNG"), "not_a_video"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_used_fails_with_a_reason_and_leaves_nothing(
    api: APIClient, purpose: str, data: bytes, expected: str
) -> None:
    medium = prepared(api, data, purpose)
    said = api.get(f"/api/{purpose}s/{medium.pk}/").json()
    assert (said["status"], said["error"]["code"]) == ("failed", expected)
    assert said["error"]["message"].endswith(".")
    assert said["job"]["retry_count"] == 0, "the same again would end the same"
    assert (files(), medium.source, medium.file) == ([], "", "")


def test_a_wrong_checksum_is_found_by_the_job_at_the_latest(api: APIClient, sound: bytes) -> None:
    upload = begin(api, sound, "sound", file_hash=sha256(b"something else")).json()
    for index in reversed(range(upload["chunks_total"])):
        put(api, upload, index, sound)
    job = run(merge(api, upload).json()["job"]["id"])
    assert (job.status, job.error_code) == ("failed", "checksum_mismatch")
    assert files() == []


def test_a_purpose_that_nobody_knows_is_refused(api: APIClient) -> None:
    assert code(begin(api, b"x", "poem")) == (400, "invalid")


def test_a_picture_that_its_job_may_not_keep_is_taken_back(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = send(api, picture(), "still")
    monkeypatch.setattr(preparing, "_record", lambda *_: 1 / 0)
    assert run(answer.json()["job"]["id"]).status == "retrying"
    assert files() == [Medium.objects.get().source]


def test_what_was_deleted_is_not_prepared_until_it_is_restored(api: APIClient) -> None:
    said = send(api, picture(), "still").json()
    assert api.delete(said["still"]["urls"]["self"]).status_code == 204
    assert Job.objects.get().status == "cancelled"
    job = run(tasks.prepare(said["still"]["id"]))
    assert (job.status, job.error_code) == ("failed", "medium_deleted")
    assert api.post(said["still"]["urls"]["restore"]).json()["deleted_at"] is None
    assert run(tasks.prepare(said["still"]["id"])).status == "completed"


def test_a_job_about_nothing_says_so(api: APIClient) -> None:
    assert run(tasks.prepare(999)).error_code == "source_gone"
    medium = prepared(api, picture(), "still")
    storage.path_of(medium.source).unlink()
    assert run(tasks.prepare(medium.pk)).error_code == "source_gone"


# -- the API, the clean-up, the admin --------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["still", "sound"])
def test_nobody_sees_or_touches_what_is_anothers_or_of_another_kind(api: APIClient, sound: bytes, purpose: str) -> None:
    other = signed_in(make_user())
    said = send(other, {"still": picture(), "sound": sound}[purpose], purpose).json()
    address, wrong = said[purpose]["urls"]["self"], {"still": "sounds", "sound": "stills"}[purpose]
    for client, place in ((api, address), (other, f"/api/{wrong}/{said[purpose]['id']}/")):
        assert code(client.get(place)) == code(client.delete(place)) == (404, "not_found")
        assert code(client.patch(place, {"title": "x"})) == code(client.post(f"{place}restore/")) == (404, "not_found")
    assert api.get(f"/api/{purpose}s/").json()["results"] == []
    assert other.get(f"/api/{wrong}/").json()["results"] == []
    assert code(APIClient().get(address)) == (401, "not_authenticated")
    assert code(api.get(said["job"]["urls"]["self"])) == (404, "not_found")


def test_they_are_renamed_deleted_restored_and_listed(api: APIClient, django_assert_num_queries: Any) -> None:
    for title in ("one.png", "two.png", "three.png"):
        send(api, picture(), "still", file_name=title)
    with django_assert_num_queries(2):
        assert [one["title"] for one in api.get("/api/stills/").json()["results"]] == ["three", "two", "one"]
    address = f"/api/stills/{Medium.objects.get(title='two').pk}/"
    changed = api.patch(address, {"title": "新", "file": "/etc/passwd", "kind": "sound", "width": 5}).json()
    assert (changed["title"], changed["width"]) == ("新", None)
    assert Medium.objects.get(title="新").file == ""
    assert api.delete(address).status_code == 204
    assert [one["title"] for one in api.get("/api/stills/").json()["results"]] == ["three", "one"]
    assert [one["title"] for one in api.get("/api/stills/", {"deleted": "true"}).json()["results"]] == ["新"]
    assert api.post(f"{address}restore/").json()["deleted_at"] is None


def test_they_go_with_their_files_a_week_after_they_were_deleted(api: APIClient, sound: bytes) -> None:
    gone = [prepared(api, picture(), "still"), prepared(api, sound, "sound")]
    kept = [prepared(api, picture("PNG"), "still"), prepared(api, sound[:-2], "sound")]
    for path in [*files_under(settings.MEDIA_ROOT), *Path(settings.MEDIA_ROOT).glob("stills/*/*")]:
        age(path, 30 * DAY)
    assert clean_up() == NOTHING
    Medium.objects.filter(pk__in=[one.pk for one in gone]).update(deleted_at=timezone.now() - 7.1 * DAY)
    Medium.objects.filter(pk=kept[0].pk).update(deleted_at=timezone.now() - 6.9 * DAY)
    assert clean_up() == {**NOTHING, "media": 2}
    assert set(Medium.objects.values_list("pk", flat=True)) == {one.pk for one in kept}
    assert set(files()) == {kept[0].source, kept[0].file, kept[0].thumbnail, kept[1].file}
    assert Upload.objects.count() == 2
    assert clean_up() == NOTHING


def test_pictures_that_no_row_names_go_once_they_are_old(api: APIClient) -> None:
    wanted = prepared(api, picture(), "still")
    orphan = Path(settings.MEDIA_ROOT) / f"stills/{wanted.pk}/left-1"
    orphan.mkdir()
    (orphan / "still.png").touch()
    assert clean_up() == NOTHING
    age(orphan, DAY)
    assert clean_up() == {**NOTHING, "orphans": 1}
    assert set(files()) == {wanted.source, wanted.file, wanted.thumbnail}


@pytest.mark.parametrize(
    "row",
    [
        lambda ann, video, medium: Medium.objects.create(owner=ann, kind="still", source_size=1, file="x", width=1),
        lambda ann, video, medium: Medium.objects.create(owner=ann, kind="sound", source_size=1, file="x", width=1),
        lambda ann, video, medium: Upload.objects.update(merged_at=timezone.now()),
        lambda ann, video, medium: Upload.objects.update(medium=medium),
        lambda ann, video, medium: Upload.objects.update(medium=medium, video=video, merged_at=timezone.now()),
    ],
)
def test_the_database_refuses_what_can_not_be(ann: User, row: Any) -> None:
    medium = Medium.objects.create(owner=ann, kind="still", source_size=1)
    video = Video.objects.create(owner=ann, source_size=1)
    sessions.begin(sessions.Wish(file_name="a", file_size=1), owner_id=ann.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        row(ann, video, medium)


def test_the_admin_shows_them_and_deletes_them_for_a_while(api: APIClient) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    medium = prepared(api, picture(), "still")
    page = reverse("admin:videos_medium_changelist")
    assert "64×32" in operator.get(page).text
    assert medium.file in operator.get(reverse("admin:videos_medium_change", args=[medium.pk])).text
    assert "Ferien" in operator.get(reverse("admin:videos_upload_changelist")).text
    for action, deleted in (("delete_for_a_while", True), ("restore", False)):
        assert operator.post(page, {"action": action, "_selected_action": [medium.pk]}).status_code == 302
        assert bool(Medium.objects.get().deleted_at) is deleted


def test_a_batch_takes_only_ones_own(api: APIClient, ann: User) -> None:
    medium = prepared(api, picture(), "still")
    assert preparing.owns(ann.pk, medium.pk)
    assert not preparing.owns(make_user().pk, medium.pk)
    with pytest.raises(TypeError):
        preparing.owns(ann.pk, "1")  # type: ignore[arg-type]
