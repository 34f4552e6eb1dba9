"""Drafts that are sent: what is wrong is told at once, what is right is recorded once."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from jobs.models import Job
from tests.builders import make_user
from tests.environment import ROOT
from tests.files import files_under
from tests.jobs.test_batches import at_once
from tests.videos.drafts.parcels import PLACEHOLDER, packed, reel, say, send
from tests.videos.test_videos_api import code, make_video
from videos import checks
from videos.drafts import intake, processors
from videos.models import Draft
from videos.timeline.capcut.reading import Draft as Read
from videos.timeline.capcut.reading import DraftInvalid
from videos.timeline.model import Timeline

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

FAR = "http://93.184.215.14/a.mp4"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def change(monkeypatch: Any, **said: Any) -> None:
    """Other settings of drafts."""
    monkeypatch.setattr(settings, "JOINTO_DRAFTS", type(settings.JOINTO_DRAFTS)(**vars(settings.JOINTO_DRAFTS) | said))


def kept() -> list[Path]:
    return files_under(Path(settings.MEDIA_ROOT), Path(settings.UPLOADS_DIR))


# -- taken -----------------------------------------------------------------------------------------------


def test_a_draft_is_answered_at_once_with_its_job(api: APIClient, ann: User) -> None:
    answer = say(api, draft=reel(FAR), callback_url="http://93.184.215.14/hook", priority=3)
    assert answer.status_code == 202, answer.content
    said = answer.json()
    job, draft = Job.objects.get(), Draft.objects.get()
    assert set(said) == {"detail", "draft", "job"}
    assert (said["job"]["id"], said["draft"]["job"]["id"], said["draft"]["id"]) == (str(job.pk), str(job.pk), draft.pk)
    assert (job.kind, job.queue, job.owner_id, job.subject, job.callback_url) == (
        *("videos.tasks.render_draft", "export", ann.pk, f"videos.Draft:{draft.pk}", "http://93.184.215.14/hook"),
    )
    assert (said["draft"]["draft_id"], said["draft"]["name"], said["draft"]["status"]) == (
        "D-1",
        "Ferien",
        "processing",
    )
    listed = api.get("/api/drafts/").json()["results"]
    assert [(one["id"], one["video_url"]) for one in listed] == [(draft.pk, None)]
    assert api.get(f"/api/drafts/{draft.pk}/").json()["missing"] == []


@pytest.mark.parametrize("how", ["object", "text", "file", "zip"])
def test_a_draft_may_come_in_every_way(api: APIClient, how: str) -> None:
    draft = reel(FAR)
    answers = {
        "object": lambda: say(api, draft=draft),
        "text": lambda: say(api, draft=json.dumps(draft)),
        "file": lambda: send(api, json.dumps(draft).encode(), "77.json"),
        "zip": lambda: send(api, packed(draft, folder="深/")),
    }
    answer = answers[how]()
    assert answer.status_code == 202, answer.content
    row = Draft.objects.get()
    assert (row.draft_id, row.source[-4:]) == ("77" if how == "file" else "D-1", ".zip" if how == "zip" else "json")
    assert len(kept()) == 1, "the file of the draft, and nothing else"


def test_of_an_address_the_id_is_known_before_it_is_fetched(api: APIClient, monkeypatch: Any) -> None:
    assert say(api, draft_url="http://93.184.215.14/get?draft_id=77").json()["draft"]["draft_id"] == "77"
    change(monkeypatch, url="http://93.184.215.14/{id}.zip")
    for said in ({"draft_id": "a b"}, {"draft_url": "77.json"}, {"draft_id": "1", "draft_url": "http://1.1.1.1/x"}):
        assert say(api, **said).status_code == 202
    assert list(Draft.objects.order_by("pk").values_list("url", "draft_id")[1:]) == [
        ("http://93.184.215.14/a%20b.zip", "a b"),
        ("http://93.184.215.14/77.zip", "77"),
        ("http://1.1.1.1/x", "1"),
    ]


def test_a_key_gives_the_same_draft_and_another_request_with_it_is_refused(api: APIClient) -> None:
    first = say(api, "k", draft=reel(FAR)).json()
    assert say(api, "k", draft=reel(FAR)).json()["draft"]["id"] == first["draft"]["id"]
    assert code(say(api, "k", draft=reel(FAR), quality="low")) == (409, "idempotency_key_reused")
    assert code(say(api, "k", draft=reel(FAR, FAR))) == (409, "idempotency_key_reused")
    assert (Draft.objects.count(), len(kept())) == (1, 1)
    assert say(api, draft=reel(FAR)).json()["draft"]["id"] != first["draft"]["id"]


def test_a_key_gives_the_same_draft_though_it_would_not_be_taken_any_more(api: APIClient, monkeypatch: Any) -> None:
    first = say(api, "k", draft=reel(FAR)).json()
    change(monkeypatch, document_bytes=10)
    assert say(api, "k", draft=reel(FAR)).json()["draft"]["id"] == first["draft"]["id"]


@pytest.mark.django_db(transaction=True)
def test_the_same_request_that_comes_several_times_at_once_is_one_draft(api: APIClient, ann: User) -> None:
    answers: list[Any] = []

    def ask() -> None:
        client = APIClient()
        client.force_authenticate(ann)
        answers.append(say(client, "k", draft=reel(FAR)))

    assert at_once(*[ask] * 4) == []
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["draft"]["id"] for answer in answers}) == 1
    assert (Draft.objects.count(), Job.objects.count(), len(kept())) == (1, 1, 1)


def test_of_a_draft_whose_job_is_not_recorded_nothing_is_kept(ann: User) -> None:
    def start(draft_id: int) -> NoReturn:
        assert kept(), "the file is in place before the row says so"
        raise PermissionError

    wish = intake.Wish(
        owner_id=ann.pk,
        content=io.BytesIO(json.dumps(reel(FAR)).encode()),
        format="mp4",
        quality="low",
        on_missing="slate",
    )
    with pytest.raises(PermissionError):
        intake.take(wish, start=start, key=None)
    assert (Draft.objects.count(), kept()) == (0, [])


def test_a_draft_goes_with_its_file_and_its_job_is_cancelled(api: APIClient) -> None:
    pk = say(api, draft=reel(FAR)).json()["draft"]["id"]
    other = APIClient()
    other.force_authenticate(make_user())
    assert (other.get(f"/api/drafts/{pk}/").status_code, other.delete(f"/api/drafts/{pk}/").status_code) == (404, 404)
    assert other.get("/api/drafts/").json()["results"] == []
    assert api.delete(f"/api/drafts/{pk}/").status_code == 204
    assert (Draft.objects.count(), kept(), Job.objects.get().status) == (0, [], "cancelled")


# -- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        ({}, 422, "draft_id_missing"),
        ({"draft_url": "somewhere"}, 422, "draft_id_missing"),
        ({"draft_id": "77"}, 422, "draft_url_missing"),
        ({"draft_url": "ftp://a.example/draft/77"}, 422, "draft_url_missing"),
        ({"draft_url": "http://127.0.0.1/draft/77"}, 422, "url_refused"),
        ({"draft_url": "http://169.254.169.254/?draft_id=1"}, 422, "url_refused"),
        ({"draft_url": "http://[::1"}, 422, "url_refused"),
        ({"draft": {}}, 422, "draft_invalid"),
        ({"draft": {"tracks": 1}}, 422, "draft_invalid"),
        ({"draft": "no draft"}, 422, "draft_invalid"),
        ({"draft": "\ud800"}, 422, "draft_invalid"),
        ({"draft": base64.b64encode(bytes(range(256))).decode()}, 422, "draft_encrypted"),
        ({"draft": 7}, 400, "invalid"),
        ({"draft": None}, 400, "invalid"),
        ({"draft_url": 7, "draft_id": []}, 400, "invalid"),
        ({"draft_id": "\0"}, 400, "invalid"),
        ({"draft_id": "x" * 201}, 400, "invalid"),
        ({"file": "text"}, 400, "invalid"),
        ({"mapping": []}, 400, "invalid"),
        ({"mapping": {"a": "1"}}, 400, "invalid"),
        ({"mapping": {"a": True}}, 400, "invalid"),
        ({"mapping": {"a": 2**70}}, 400, "invalid"),
        ({"mapping": {"a\0": 1}}, 400, "invalid"),
        ({"mapping": {"\ud800": 1}}, 400, "invalid"),
        ({"mapping": {"a": 1}}, 400, "invalid"),
        ({"quality": "custom"}, 400, "invalid"),
        ({"format": "avi"}, 400, "invalid"),
        ({"on_missing": "shrug"}, 400, "invalid"),
        ({"colour": "red"}, 400, "invalid"),
    ],
    ids=str,
)
def test_what_can_not_be_rendered_is_refused_with_a_reason(
    api: APIClient, said: dict[str, Any], status: int, word: str
) -> None:
    assert code(say(api, **said)) == (status, word)
    assert not Job.objects.exists()
    assert kept() == []


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "draft_invalid"),
        (b"\xff\xfe", "draft_invalid"),
        (b"[" * 100_000, "draft_invalid"),
        (b'{"tracks": ' * 5000, "draft_invalid"),
        (b"PK\x03\x04 no zip", "draft_archive_unsafe"),
        (b"PK\x05\x06" + bytes(18), "draft_invalid"),
        (packed({}, name="readme.json"), "draft_invalid"),
        (packed(base64.b64encode(bytes(90))), "draft_encrypted"),
        (packed(reel(FAR), __secret=b"x"), "draft_archive_unsafe"),
    ],
    ids=range(9),
)
def test_a_file_that_is_no_draft_is_refused_with_a_reason(api: APIClient, data: bytes, word: str) -> None:
    assert code(send(api, data)) == (422, word)
    assert (Job.objects.count(), kept()) == (0, [])


def test_an_archive_may_have_as_many_files_as_the_settings_say(api: APIClient) -> None:
    most = settings.JOINTO_DRAFTS.entries
    many: Any = {f"n{number}_txt": b"" for number in range(most - 1)}
    assert send(api, packed(reel(FAR), **many)).status_code == 202
    answer = send(api, packed(reel(FAR), **many, one_more=b""))
    assert (code(answer), answer.json()["error"]["details"]) == ((422, "draft_archive_unsafe"), {"reason": "entries"})


def test_media_are_found_under_names_that_windows_packs_in_chinese(api: APIClient) -> None:
    data = packed(reel("D:\\素材\\片段1.mp4"), clipXX_mp4=b"x").replace(b"clipXX", "片段1".encode("gbk") + b"\0")
    assert code(send(api, data))[1] == "draft_archive_unsafe", "no name has a NUL in it"
    data = packed(reel("D:\\素材\\片段1.mp4"), clipX_mp4=b"x").replace(b"clipX", "片段1".encode("gbk"))
    answer = send(api, data)
    assert (answer.status_code, answer.json()["draft"]["missing"]) == (202, [])


def test_fields_of_a_form_are_read_as_those_of_json(api: APIClient, ann: User) -> None:
    said = {"mapping": json.dumps({"a.mp4": make_video(ann).pk}), "quality": "low"}
    assert send(api, packed(reel("C:/x/a.mp4")), **said).status_code == 202
    for mapping in ("[" * 100_000, "x", '{"a": 1.5}'):
        assert code(send(api, packed(reel(FAR)), mapping=mapping)) == (400, "invalid")
    assert code(api.post("/api/drafts/", b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x"))[0] < 500
    assert code(api.post("/api/drafts/", b"[]", content_type="application/json")) == (400, "invalid")


def test_what_is_wrong_is_named_by_the_field(api: APIClient) -> None:
    draft = reel(FAR)
    draft["tracks"][0]["segments"][0]["target_timerange"] = {"start": "x"}
    answer = say(api, draft=draft)
    assert answer.json()["error"]["details"]["problems"][0]["path"] == "tracks[0].segments[0].target_timerange.start"


def test_a_draft_beyond_the_limit_is_too_large(api: APIClient, monkeypatch: Any) -> None:
    change(monkeypatch, document_bytes=100)
    assert code(say(api, draft=reel(FAR))) == (413, "draft_too_large")
    assert code(send(api, packed(reel(FAR)))) == (413, "draft_too_large")


def test_media_that_can_not_be_had_are_listed_and_refused_or_shown_as_slates(api: APIClient) -> None:
    draft = reel("C:/x/one.mp4", f"{PLACEHOLDER}/media/two.mp4", "C:/x/three.mp4")
    answer = send(api, packed(draft, media__two_mp4=b"x"))
    assert code(answer) == (422, "draft_media_missing")
    details = answer.json()["error"]["details"]
    assert [(one["file_name"], one["reason"]) for one in details["missing"]] == [
        ("one.mp4", "not_found"),
        ("three.mp4", "not_found"),
    ]
    assert (details["count"], kept()) == (2, [])
    answer = send(api, packed(draft, media__two_mp4=b"x"), on_missing="slate")
    assert [one["file_name"] for one in answer.json()["draft"]["missing"]] == ["one.mp4", "three.mp4"]


def test_only_videos_of_ones_own_are_taken_for_media(api: APIClient, ann: User) -> None:
    draft = reel("C:/x/one.mp4")
    strangers = make_video(make_user())
    assert code(say(api, draft=draft, mapping={"one.mp4": strangers.pk})) == (400, "invalid")
    for key in ("one.mp4", "C:/x/one.mp4"):
        assert say(api, draft=draft, mapping={key: make_video(ann).pk}).status_code == 202


# -- processors ------------------------------------------------------------------------------------------


class Minutes:
    """Reads a kind of draft of somebody's own: `minutes: 3`."""

    def can_process(self, data: bytes) -> bool:
        return data.startswith(b"minutes:")

    def process(self, data: bytes) -> Read:
        try:
            return Read(id="m", name=f"{int(data[8:])} minutes", timeline=Timeline(), media=(), report=())
        except ValueError as error:
            raise DraftInvalid([{"path": "minutes", "problem": "A number is wanted here"}]) from error


def test_a_processor_of_ones_own_is_asked_for_what_it_can_read(api: APIClient, monkeypatch: Any) -> None:
    change(monkeypatch, processors=(*settings.JOINTO_DRAFTS.processors, f"{__name__}.Minutes"))
    assert send(api, b"minutes: 3", "a.txt").json()["draft"]["name"] == "3 minutes"
    assert code(send(api, b"minutes: x", "a.txt")) == (422, "draft_invalid")
    assert say(api, draft=reel(FAR)).json()["draft"]["name"] == "Ferien"


def test_drafts_of_capcut_are_told_from_other_json() -> None:
    capcut = processors.CapCut()
    assert capcut.can_process(b'{"tracks": []}')
    assert not capcut.can_process(b'{"draft_materials": []}')
    assert not capcut.can_process(b"[]")
    assert capcut.can_process(base64.b64encode(bytes(90))), "it says that it is encrypted"


def test_the_processor_of_the_recipe_reads_what_it_says() -> None:
    recipe = (ROOT / "docs/recipes/read-drafts-of-your-own.md").read_text()
    room: dict[str, Any] = {}
    exec(recipe.split("```python\n")[1].split("```")[0], room)
    cuts = room["CutList"]()
    assert isinstance(cuts, processors.Processor)
    data = (
        b'{"studio_cuts": [{"file": "x/a.mp4", "from": 1.5, "seconds": 2}, {"file": "b.mp4", "from": 0, "seconds": 1}]}'
    )
    assert (cuts.can_process(data), cuts.can_process(b"{}")) == (True, False)
    draft = cuts.process(data)
    assert draft.timeline.materials() == {one.name for one in draft.media}
    assert [clip.end for clip in draft.timeline.clips()] == [2_000_000, 3_000_000]
    with pytest.raises(DraftInvalid):
        cuts.process(b'{"studio_cuts": [{}]}')


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, []),
        ({"processors": ("no.such.module",)}, ["videos.E001"]),
        ({"processors": (f"{__name__}.Nobody",)}, ["videos.E001"]),
        ({"processors": (f"{__name__}.change",)}, ["videos.E001"]),
        ({"processors": ("builtins.dict", "videos.drafts.processors.CapCut")}, ["videos.E001"]),
        ({"processors": ()}, ["videos.E002"]),
        ({"url": "https://a.example/"}, ["videos.E003"]),
        ({"url": "file:///srv/{id}"}, ["videos.E003"]),
        ({"url": "https://a.example/{id}.zip"}, []),
    ],
    ids=str,
)
def test_settings_that_can_not_work_are_found_at_start(
    monkeypatch: Any, said: dict[str, Any], found: list[str]
) -> None:
    change(monkeypatch, **said)
    assert [one.id for one in (*checks.check_draft_processors(), *checks.check_draft_url())] == found


def test_the_admin_shows_drafts_and_changes_none(api: APIClient) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    draft = reel("C:/x/one.mp4")
    pk = say(api, draft=draft, on_missing="slate").json()["draft"]["id"]
    assert "Ferien" in operator.get(reverse("admin:videos_draft_changelist"), {"q": "D-1"}).text
    page = operator.get(reverse("admin:videos_draft_change", args=[pk]))
    assert "one.mp4" in page.text
    assert operator.get(reverse("admin:videos_draft_add")).status_code == 403
