"""Drafts that are wrong, sent over HTTP: each is refused with a code and the path of its field, or read even so."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from jobs.models import Job
from tests.builders import make_user
from tests.files import files_under
from tests.videos import test_media
from tests.videos.drafts.parcels import packed, reel, say, send
from tests.videos.drafts.test_archive import misplaced
from tests.videos.test_videos_api import code
from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment
from tests.videos.timeline.capcut.test_any_json import EVERYTHING, ODD, PLACES, put
from tests.videos.timeline.capcut.test_hostile import effects
from tests.videos.timeline.capcut.test_reading import WRONG, broken
from videos.drafts import rendering
from videos.timeline.capcut import reading

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


@pytest.fixture
def api() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_user())
    return client


def nested(depth: int) -> dict[str, Any]:
    """Drafts within drafts."""
    paper = Paper()
    for _ in range(depth):
        outer = Paper()
        compound = outer.material("drafts", draft=paper.document())
        outer.track("video", segment(outer.video(""), 0, SECOND, compound))
        paper = outer
    return paper.document()


def crowded(*tracks: int) -> dict[str, Any]:
    """So many segments on each track, all at once."""
    paper = Paper()
    film = paper.video()
    for count in tracks:
        paper.track("video", *[segment(film, 0, SECOND)] * count)
    return paper.document()


DEEP = ".".join(["materials.drafts[0].draft"] * 9)
MALFORMED: list[tuple[Any, str]] = [
    *((broken(way, value), path) for way, value, path in WRONG),
    ([], ""),
    ("draft", ""),
    (None, ""),
    (17, ""),
    ({}, ""),
    ({"tracks": [{}]}, "tracks[0].type"),
    (nested(9), DEEP),
    (crowded(20_001), "tracks"),
    (crowded(101), "tracks[0].segments[100]"),
    (crowded(*[1] * 101), "tracks"),
]


def test_there_are_far_more_than_twenty_ways() -> None:
    assert len({json.dumps(draft) for draft, _ in MALFORMED}) >= 36


def test_every_mistake_has_a_code_and_the_path_of_its_field(api: APIClient) -> None:
    """As a file, in an archive, and as text: the answer is the same."""
    for draft, path in MALFORMED:
        data = json.dumps(draft).encode()
        for answer in (send(api, data, "77.json"), send(api, packed(data)), say(api, draft=data.decode())):
            if answer.status_code == 400:  # an empty text is none
                continue
            assert code(answer) == (422, "draft_invalid"), draft
            error = answer.json()["error"]
            problems = error["details"]["problems"]
            assert problems[0]["path"] == path or "archive" in problems[0]["problem"], draft
            assert problems[0]["problem"] in error["message"]
    assert not Job.objects.exists()
    assert files_under(Path(settings.MEDIA_ROOT), Path(settings.UPLOADS_DIR)) == []


ODD_FILES = [
    *(b"", b"\0", b"null", b"{", b'{"tracks": [', b"\xff\xfe{\0", b"{}" * 1000, b"[" * 200_000, b"9" * 4000, b"NaN"),
    *(b'"\\ud800"', b'{"tracks": NaN}', b'{"tracks": [], "tracks": {}}', b"\xef\xbb\xbf[]", b'{"tracks": \''),
    *('{"tracks": [{"type": "\ud800", "segments": 5}]}'.encode("utf-8", "surrogatepass"), b"<html></html>"),
]


@pytest.mark.parametrize("data", ODD_FILES, ids=range(len(ODD_FILES)))
def test_what_is_no_draft_at_all_has_a_code_too(api: APIClient, data: bytes) -> None:
    for answer in (send(api, data, "77.json"), send(api, packed(data))):
        assert code(answer) == (422, "draft_invalid")
        assert answer.json()["error"]["details"]["problems"][0]["problem"]


def test_any_field_may_hold_anything(api: APIClient) -> None:
    """Some of the ways in which the reader is tested with all."""
    seen = set()
    for number, way in enumerate(PLACES[::5]):
        document = copy.deepcopy(EVERYTHING)
        put(document, way, ODD[number % len(ODD)])
        answer = send(api, json.dumps(document).encode(), on_missing="slate")
        seen.add(answer.status_code)
        assert answer.status_code in (202, 422), (way, answer.content)
        if answer.status_code == 422:
            assert answer.json()["error"]["details"]["problems"]
    assert seen == {202, 422}


def test_an_archive_whose_entries_are_not_where_it_says_is_refused_however_it_comes(api: APIClient) -> None:
    """Three megabytes: in a form they are a file of the system by then, as all uploads in chunks are."""
    padding = random.Random(1).randbytes(3 << 20)
    data = misplaced(packed(reel("a.mp4"), a_mp4=b"x", padding_bin=padding), 50)
    for answer in (send(api, data), test_media.send(api, data, "draft")):
        assert code(answer) == (422, "draft_archive_unsafe")
        assert answer.json()["error"]["details"]["reason"] == "damaged"


def test_of_many_remarks_the_first_are_answered_and_the_number_of_the_rest(api: APIClient) -> None:
    answer = say(api, draft=effects(60, refs=20).document(), on_missing="slate")
    report = answer.json()["draft"]["report"]
    assert len(report) == 1001
    assert report[-1] == {"path": "", "segment_id": "", "code": "more", "message": "There are 3800 more remarks."}
    draft = reading.read(effects(1, refs=20).document())
    own = replace(draft, report=draft.report * 20)  # of a processor of one's own, which counts none
    assert [len(rendering.reported(own)), rendering.reported(own)[-1]["message"][:13]] == [1001, "There are 600"]
