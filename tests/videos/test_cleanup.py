"""The nightly clean-up: what is to go goes, what is wanted stays, whatever happens in between."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from jobs.models import Job
from tests.builders import make_user
from tests.files import files_under
from tests.videos.test_videos_api import Meanwhile, make_video
from videos import cleanup, storage, tasks
from videos.models import Upload, Video
from videos.uploads import sessions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

DAY = timedelta(days=1)
STEPS = ("projects", "videos", "media", "uploads", "exports", "drafts", "orphans", "parts")
NOTHING = dict.fromkeys(STEPS, 0)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


def clean_up() -> dict[str, int]:
    return cleanup.clean_up(timezone.now())


def make_upload(owner: User, *, idle: timedelta = timedelta(0), data: bytes = b"bytes") -> Upload:
    """An unfinished upload whose only chunk has arrived, that long ago."""
    begun = sessions.begin(sessions.Wish(file_name=f"{uuid.uuid4()}.mp4", file_size=len(data)), owner_id=owner.pk)
    assert isinstance(begun, sessions.Begun)
    sessions.write(begun.upload, 0, data, {})
    Upload.objects.filter(pk=begun.upload.pk).update(touched_at=timezone.now() - idle)
    age(sessions.path_of(begun.upload.pk), idle)
    return Upload.objects.get(pk=begun.upload.pk)


def make_ready(owner: User, **fields: Any) -> Video:
    """A video that plays, with its folder."""
    video = make_video(owner, **fields)
    folder = f"videos/{video.pk}/{uuid.uuid4()}-1"
    storage.path_of(folder).mkdir(parents=True)
    (storage.path_of(folder) / "master.m3u8").write_text("#EXTM3U")
    Video.objects.filter(pk=video.pk).update(folder=folder, playlist="master.m3u8")
    return Video.objects.get(pk=video.pk)


def age(path: Path, by: timedelta) -> None:
    then = (timezone.now() - by).timestamp()
    os.utime(path, (then, then))


def files() -> set[str]:
    return {path.as_posix() for path in files_under(settings.UPLOADS_DIR, settings.MEDIA_ROOT)}


def assert_every_row_has_its_files() -> None:
    for video in Video.objects.all():
        assert not video.source or storage.path_of(video.source).is_file(), video.source
        assert not video.folder or storage.path_of(f"{video.folder}/{video.playlist}").is_file(), video.folder


def test_a_video_goes_with_its_files_a_week_after_it_was_deleted(ann: User) -> None:
    gone = make_ready(ann, deleted_at=timezone.now() - 7 * DAY)
    kept = [make_ready(ann, deleted_at=timezone.now() - 6.9 * DAY), make_ready(ann)]
    assert clean_up() == {**NOTHING, "videos": 1}
    assert not Video.objects.filter(pk=gone.pk).exists()
    assert len(files()) == 4
    assert not (Path(settings.MEDIA_ROOT) / f"videos/{gone.pk}").exists(), "its empty folder too"
    assert set(Video.objects.values_list("pk", flat=True)) == {video.pk for video in kept}
    assert clean_up() == NOTHING


def test_a_video_that_is_restored_while_the_clean_up_runs_stays(ann: User) -> None:
    _, second = (make_ready(ann, deleted_at=timezone.now() - (9 - n) * DAY) for n in range(2))
    restored = Meanwhile(
        'DELETE FROM "videos_video"', lambda: Video.objects.filter(pk=second.pk).update(deleted_at=None)
    )
    with connection.execute_wrapper(restored):
        clean_up()
    assert restored.done
    assert set(Video.objects.values_list("pk", flat=True)) == {second.pk}
    assert_every_row_has_its_files()


def test_an_upload_goes_a_day_after_its_last_byte(ann: User) -> None:
    gone, kept = make_upload(ann, idle=1.1 * DAY), make_upload(ann, idle=0.9 * DAY)
    assert clean_up() == {**NOTHING, "uploads": 1}
    assert list(Upload.objects.values_list("pk", flat=True)) == [kept.pk]
    assert sessions.path_of(kept.pk).exists()
    assert not sessions.path_of(gone.pk).exists()


def test_an_upload_that_was_merged_stays_with_its_video(ann: User) -> None:
    upload = make_upload(ann)
    video = sessions.complete(upload, title="clip", start=tasks.start)
    Upload.objects.update(touched_at=timezone.now() - 30 * DAY)
    age(storage.path_of(video.source), 30 * DAY)
    assert clean_up() == NOTHING
    assert_every_row_has_its_files()


@pytest.mark.parametrize("act", ["merged", "resumed"])
def test_an_upload_that_is_taken_up_again_while_the_clean_up_runs_is_kept(ann: User, act: str) -> None:
    upload = make_upload(ann, idle=2 * DAY)
    orphan = storage.path_of("videos/uploads/2020/01/01/orphan.mp4")
    orphan.parent.mkdir(parents=True)
    orphan.touch()
    age(orphan, DAY)

    def take_up() -> None:
        if act == "merged":
            sessions.complete(upload, title="clip", start=tasks.start)
        else:
            sessions.write(upload, 0, b"bytes", {})

    meanwhile = Meanwhile('SELECT "videos_upload"."id"', take_up, nth=2)
    with connection.execute_wrapper(meanwhile):
        removed = clean_up()
    assert meanwhile.done
    assert removed == {**NOTHING, "orphans": 1}, "and the rest is cleaned up all the same"
    assert Upload.objects.filter(pk=upload.pk).exists()
    assert act == "merged" or sessions.path_of(upload.pk).exists()
    assert_every_row_has_its_files()


@pytest.fixture
def orphans() -> Iterator[Callable[[timedelta], set[str]]]:
    """Makes one of everything that no row names, of the given age."""

    def make(old: timedelta) -> set[str]:
        root = Path(settings.MEDIA_ROOT)
        folder = root / f"videos/123/{uuid.uuid4()}-1"
        folder.mkdir(parents=True)
        made = [
            root / f"videos/uploads/2026/01/02/{uuid.uuid4()}.mp4",
            folder / "360p.mp4",
            Path(settings.UPLOADS_DIR) / f"{uuid.uuid4()}.part",
            Path(settings.UPLOADS_DIR) / f"not an id {uuid.uuid4()}.part",
        ]
        for path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            age(path, old)
        age(folder, old)
        return {path.as_posix() for path in made}

    yield make


def test_files_that_no_row_names_go_once_they_are_old_enough(ann: User, orphans: Any) -> None:
    wanted, old, young = make_ready(ann), orphans(timedelta(hours=3)), orphans(timedelta(hours=1))
    named = files() - old - young
    for path in (storage.path_of(wanted.source), storage.path_of(wanted.folder)):
        age(path, 30 * DAY)
    assert clean_up() == {**NOTHING, "orphans": 4}
    assert files() == named | young
    assert clean_up() == NOTHING


def test_a_file_that_somebody_else_removes_meanwhile_does_not_stop_the_clean_up(orphans: Any) -> None:
    orphans(3 * DAY), orphans(3 * DAY)
    # Asked about the first of several, when all of them have been listed.
    meanwhile = Meanwhile(
        'SELECT %s AS "a" FROM "videos_upload"',
        lambda: list(map(Path.unlink, Path(settings.UPLOADS_DIR).glob("*.part"))),
    )
    with connection.execute_wrapper(meanwhile):
        clean_up()
    assert meanwhile.done
    assert files() == set()


@pytest.mark.django_db(transaction=True)
def test_a_merge_that_comes_hours_after_the_last_byte_does_not_lose_its_file_to_the_clean_up(ann: User) -> None:
    upload = make_upload(ann, idle=timedelta(hours=5))

    def start(video_id: int) -> Job:
        # The file is in its place, and the row is not committed yet.
        def other_process() -> None:
            clean_up()
            connection.close()

        thread = threading.Thread(target=other_process)
        thread.start()
        thread.join()
        return tasks.start(video_id)

    sessions.complete(upload, title="clip", start=start)
    assert_every_row_has_its_files()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ['DELETE FROM "videos_video"', 'SELECT %s AS "a" FROM "videos_video"'])
def test_broken_off_half_way_no_row_points_at_a_missing_file_and_the_next_run_finishes(
    ann: User, orphans: Any, statement: str
) -> None:
    for _ in range(3):
        make_ready(ann, deleted_at=timezone.now() - 8 * DAY)
    kept = make_ready(ann)
    orphans(3 * DAY)
    seen = 0

    def break_off(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += sql.startswith(statement)
        if seen == 2:
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(break_off):
        clean_up()
    assert_every_row_has_its_files()
    for path in [*Path(settings.MEDIA_ROOT).rglob("*"), *Path(settings.UPLOADS_DIR).glob("*")]:
        age(path, 3 * DAY)
    clean_up()
    assert files() == {
        storage.path_of(kept.source).as_posix(),
        storage.path_of(f"{kept.folder}/{kept.playlist}").as_posix(),
    }
    assert Video.objects.count() == 1
