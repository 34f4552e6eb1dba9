"""Extraction by a language model over HTTP: pieces put together, answers corrected once, nothing paid for twice."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.db import OperationalError
from django.forms.models import model_to_dict
from rest_framework.test import APIClient

from assets import reading, tasks, usage
from assets.models import Asset, Extraction, PieceAnswer, Prompt, ProviderLimit, Usage
from jobs import control
from jobs.models import Attempt, Job
from jobs.testing import Clock, run
from tests.assets.builders import make_episode, make_project
from tests.assets.model_server import KEY, ModelServer, character, empty, scene
from tests.servers.process import wait_for

pytestmark = pytest.mark.django_db

MODEL = "openai:small"
FOUND = empty(
    scenes=[scene("KITCHEN", first_line=1), scene("STREET", place="outside", time="night", first_line=11)],
    characters=[
        character("Sarah", description="A tired cook.", gender="female", scenes=[0, 1], first_line=3),
        character("Nobody", scenes=[7, -1], first_line=999),
    ],
    props=[{"name": "letter", "description": "sealed", "scenes": [0], "first_line": 3}],
)
BROKEN = empty(characters=[{"name": "Sarah"}])


def extract(episode: Any, **said: Any) -> Job:
    return run(tasks.start(episode.pk, model=MODEL, **said))


def test_a_model_reads_the_script_with_numbered_lines_and_its_answer_becomes_assets(model: ModelServer) -> None:
    model.answers = [FOUND]
    job = extract(make_episode())
    assert job.status == "completed", job.error_message
    assert model.prompts[0].startswith("1| INT. KITCHEN - DAY\n2| \n3| SARAH pours coffee.")
    assert model.asked[0]["model"] == "small"
    assert model.asked[0]["response_format"]["json_schema"]["strict"] is True
    sarah = Asset.objects.get(name="Sarah")
    assert (sarah.description, sarah.gender, sarah.role) == ("A tired cook.", "female", "lead")
    assert list(sarah.appearances.values_list("scene_index", "first_line")) == [(0, 3), (1, 11)]
    assert Asset.objects.get(kind="prop").appearances.get().scene_heading == "KITCHEN"
    extraction = Extraction.objects.get()
    assert (extraction.model, extraction.prompt_version, extraction.answers) == (MODEL, "extract 1", [])


def test_what_does_not_stand_in_the_script_is_little_trusted(model: ModelServer) -> None:
    model.answers = [FOUND]
    extract(make_episode())
    findings = {one.name: one for one in Extraction.objects.get().findings.all()}
    assert findings["Sarah"].confidence > 0.8
    assert findings["Nobody"].confidence < 0.5
    assert (findings["Nobody"].first_line, findings["Nobody"].asset.appearances.count()) == (None, 1)  # type: ignore[union-attr]


def test_a_long_script_is_asked_about_in_pieces_and_put_together(model: ModelServer, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=4000)
    scenes = [f"INT. ROOM {n} - DAY\n\nSARAH\n{'word ' * 150}\n" for n in range(12)]

    def about(prompt: str) -> Any:
        first = int(prompt.split("|")[0])
        rooms = [line.split("| ")[1][5:-6] for line in prompt.splitlines() if "| INT. " in line]
        starts = [int(line.split("|")[0]) for line in prompt.splitlines() if "| INT. " in line]
        listed = [scene(room, first_line=line) for room, line in zip(rooms, starts, strict=True)]
        everywhere = list(range(len(rooms)))
        return empty(scenes=listed, characters=[character("SARAH", scenes=everywhere, first_line=first + 2)])

    model.answers = [about]
    job = extract(make_episode(script="\n".join(scenes)))
    assert job.status == "completed", job.error_message
    assert len(model.asked) > 2
    sarah = Asset.objects.get(kind="character")
    assert list(sarah.appearances.values_list("scene_index", flat=True)) == list(range(12))
    rooms = Asset.objects.filter(kind="scene").order_by("appearances__scene_index")
    assert [room.name for room in rooms] == [f"ROOM {n}" for n in range(12)]
    assert rooms[11].appearances.get().first_line == 11 * 5 + 1
    assert Usage.objects.count() == len(model.asked)


def test_an_answer_that_does_not_keep_to_the_schema_is_corrected_once(model: ModelServer) -> None:
    model.answers = [BROKEN, FOUND]
    job = extract(make_episode())
    assert job.status == "completed", job.error_message
    assert len(model.asked) == 2
    assert '{"name": "Sarah"}' in model.prompts[1]  # its answer
    assert "required" in model.prompts[1]  # what was wrong with it
    assert model.prompts[1].startswith(model.prompts[0])


@pytest.mark.parametrize("answer", [BROKEN, "I am sorry.", '{"scenes": [\0]}', "[" * 5000], ids=lambda a: str(a)[:12])
def test_an_answer_that_is_wrong_twice_fails_and_is_kept(
    model: ModelServer, api: APIClient, ann: User, answer: Any
) -> None:
    model.answers = [answer]
    episode = make_episode(make_project(ann))
    job = extract(episode)
    assert (job.status, job.error_code) == ("failed", "answer_unusable")
    assert len(model.asked) == 2
    extraction = Extraction.objects.get()
    assert (extraction.status, extraction.error_code, extraction.model) == ("failed", "answer_unusable", MODEL)
    raw = answer if isinstance(answer, str) else json.dumps(answer)
    assert [one.replace("\ufffd", "\0") for one in extraction.answers] == [raw, raw]
    assert extraction.prompt_version == "extract 1"
    assert api.get(f"/api/episodes/{episode.pk}/").json()["status"] == "failed"
    told = api.get(f"/api/episodes/{episode.pk}/extractions/{extraction.pk}/").json()
    assert told["error"]["code"] == "answer_unusable"
    assert not Asset.objects.exists()
    assert Usage.objects.count() == 2  # it was charged all the same


def test_an_answer_that_is_cut_off_is_asked_for_in_halves(model: ModelServer, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=20_000)
    script = "\n".join(f"INT. ROOM {n} - DAY\n\nSARAH\n{'word ' * 200}\n" for n in range(8))

    def about(prompt: str) -> Any:
        model.cut = len(prompt) > 6000
        return empty(characters=[character("SARAH", scenes=[])])

    model.answers = [about]
    job = extract(make_episode(script=script))
    assert job.status == "completed", job.error_message
    assert [len(prompt) > 6000 for prompt in model.prompts] == [True, False, False]
    assert Asset.objects.get().name == "SARAH"


@pytest.mark.parametrize(
    "script",
    [
        "A story.\n" + "She went home and was tired. " * 300 + "\n",
        "She went home and was tired. " * 300,
        "\n" * 9000,
        "She went home.\n" + "x" * 9000,
    ],
    ids=["one paragraph", "one line", "nothing but lines", "one word"],
)
def test_halves_are_shorter_whatever_a_script_looks_like(model: ModelServer, settings: Any, script: str) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=20_000)
    script = f"INT. ROOM - DAY\n\n{script}"

    def about(prompt: str) -> Any:
        model.cut = len(prompt) > 7000 + 5 * prompt.count("\n")
        return empty(characters=[character("SHE", scenes=[])])

    model.answers = [about]
    job = extract(make_episode(script=script))
    assert job.status == "completed", job.error_message
    assert 3 <= len(model.asked) == len(set(model.prompts)) <= 7


def test_a_piece_that_was_cut_off_is_not_asked_about_again(model: ModelServer, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=20_000, wait=timedelta(0))
    script = "\n".join(f"INT. ROOM {n} - DAY\n\nSARAH\n{'word ' * 200}\n" for n in range(8))
    answers = iter([empty(), empty(), (429, {"retry-after": "7"}), empty()])

    def about(prompt: str) -> Any:
        model.cut = len(prompt) > 6000
        return next(answers)

    model.answers = [about]
    job = extract(make_episode(script=script))
    assert (job.status, job.error_code) == ("retrying", "provider_rate_limited")
    Clock().turn(timedelta(minutes=1))
    ProviderLimit.objects.update(blocked_until=None)
    assert run(job).status == "completed"
    assert [len(prompt) > 6000 for prompt in model.prompts] == [True, False, False, False]
    assert model.prompts[2] == model.prompts[3]


def test_a_piece_that_was_answered_is_not_asked_about_again(model: ModelServer, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=4000, wait=timedelta(0))
    script = "\n".join(f"INT. ROOM {n} - DAY\n\nSARAH\n{'word ' * 150}\n" for n in range(8))
    good = empty(characters=[character("SARAH", scenes=[])])
    model.answers = [good, (429, {"retry-after": "7"}), good]
    job = extract(make_episode(script=script))
    assert (job.status, job.error_code) == ("retrying", "provider_rate_limited")
    assert PieceAnswer.objects.count() == 1
    Clock().turn(timedelta(minutes=1))
    ProviderLimit.objects.update(blocked_until=None)
    job = run(job)
    assert job.status == "completed", job.error_message
    assert len(set(model.prompts)) == len(model.prompts) - 1  # the one that was refused
    assert not PieceAnswer.objects.exists()


def test_a_rate_limit_is_waited_for_as_long_as_told_and_by_all(model: ModelServer, settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, wait=timedelta(0))
    model.answers = [(429, {"retry-after": "33"}), FOUND]
    project = make_project()
    job = extract(make_episode(project))
    assert job.status == "retrying"
    assert 30 <= (job.run_at - job.updated_at).total_seconds() <= 34
    other = extract(make_episode(project))
    assert (other.status, other.error_code, len(model.asked)) == ("retrying", "provider_rate_limited", 1)


def test_while_a_provider_is_down_the_built_in_reader_takes_over(model: ModelServer) -> None:
    model.answers = [(503, {})]
    episode = make_episode()
    job = extract(episode)
    assert (job.status, job.error_code) == ("retrying", "provider_unavailable")
    Clock().turn(timedelta(minutes=20))
    job = run(job)
    assert (job.status, job.fallback) == ("retrying", "offline")
    job = run(job)
    assert job.status == "completed", job.error_message
    assert Extraction.objects.get().model == "offline"
    assert len(model.asked) == 2


def test_several_models_are_asked_in_the_order_of_the_request(model: ModelServer, api: APIClient, ann: User) -> None:
    model.answers = [(503, {})]
    episode = make_episode(make_project(ann))
    said = {"model": ["openai:large", "openai:small", "offline"]}
    job = Job.objects.get(pk=api.post(f"/api/episodes/{episode.pk}/extract/", said).json()["id"])
    for _ in range(4):
        job = run(job)
        Clock().turn(timedelta(minutes=20))
    assert (job.status, job.fallback) == ("failed", "openai:small")  # its attempts are used up
    assert [body["model"] for body in model.asked] == ["large", "large", "small", "small"]


def test_one_model_in_a_list_is_the_only_one(model: ModelServer, api: APIClient, ann: User) -> None:
    model.answers = [(503, {})]
    project = make_project(ann)
    episode = make_episode(project)
    told = api.post(f"/api/projects/{project.pk}/episodes/extract/", {"model": ["openai:small"]}).json()
    assert told["report"]["model"] == "openai:small"
    job = Job.objects.get(batch_id=told["batch"]["id"])
    for _ in range(4):
        job = run(job)
        Clock().turn(timedelta(minutes=20))
    assert (job.status, job.error_code, job.fallback) == ("failed", "provider_unavailable", "")
    episode.refresh_from_db()
    assert (len(model.asked), episode.status) == (4, "failed")


@pytest.mark.parametrize("said", [["offline"] * 6, ["offline", "nobody"], ["offline", 7], {"a": 1}, 7, "x" * 200, [""]])
def test_a_model_that_is_none_is_refused(model: ModelServer, api: APIClient, ann: User, said: Any) -> None:
    episode = make_episode(make_project(ann))
    answer = api.post(f"/api/episodes/{episode.pk}/extract/", {"model": said})
    assert answer.status_code in (400, 422), answer.json()
    job = run(tasks.extract_assets.delay(episode.pk, model=said))
    assert (job.status, job.error_code) == ("failed", "model_unknown")


def test_a_question_that_the_time_would_not_do_for_is_left_to_the_next_attempt(
    model: ModelServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, piece_characters=4000)
    monkeypatch.setattr(reading, "SECONDS", 1.0)

    def slowly(prompt: str) -> Any:
        time.sleep(0.6)
        return empty(characters=[character("SARAH", scenes=[])])

    model.answers = [slowly]
    job = extract(make_episode(script="\n".join(f"INT. ROOM {n} - DAY\n\nSARAH\n{'word ' * 150}\n" for n in range(8))))
    assert (job.status, job.error_code, len(model.asked)) == ("retrying", "extraction_unfinished", 1)
    job = run(job)
    assert (job.status, len(model.asked), len(set(model.prompts))) == ("completed", 2, 2)


def test_a_question_that_the_time_limit_ends_is_not_asked_again_before_a_person_says_so(model: ModelServer) -> None:
    def exceeded(number: int, frame: object) -> None:
        raise SoftTimeLimitExceeded

    def end_when_asked() -> None:
        wait_for(lambda: model.asked, what="the question")
        os.kill(os.getpid(), signal.SIGUSR1)

    model.answers = [FOUND]
    model.hold = threading.Event()
    job = tasks.start(make_episode().pk, model=MODEL)
    before = signal.signal(signal.SIGUSR1, exceeded)
    try:
        ending = threading.Thread(target=end_when_asked)
        ending.start()
        job = run(job)
        ending.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
        model.hold.set()
    assert (job.status, job.error_code, PieceAnswer.objects.count()) == ("failed", "answer_lost", 0)
    control.retry(job, by="ann")
    job = run(job)
    assert (job.status, len(model.asked)) == ("completed", 2)


@pytest.mark.django_db(transaction=True)
def test_an_answer_outlives_a_database_that_goes_away(model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    record, note, troubles = usage.record, reading._Conversation._note, ["record", "note"]

    def broken(what: str, write: Any) -> Any:
        def written(*given: Any, **named: Any) -> Any:
            if what in troubles and (what == "record" or given[-1] is not None):
                troubles.remove(what)
                raise OperationalError("server closed the connection unexpectedly")
            return write(*given, **named)

        return written

    monkeypatch.setattr(usage, "record", broken("record", record))
    monkeypatch.setattr(reading._Conversation, "_note", broken("note", note))
    model.answers = [FOUND]
    job = extract(make_episode())
    assert (job.status, troubles, len(model.asked), Usage.objects.count()) == ("completed", [], 1, 1)


def test_an_answer_that_came_and_was_lost_here_is_not_asked_for_again_unasked(
    model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise RuntimeError("a slip")

    model.answers = [FOUND]
    with monkeypatch.context() as patch:
        patch.setattr(usage, "record", lost)
        job = extract(make_episode())
    if job.status == "retrying":
        Clock().turn(timedelta(hours=1))
        job = run(job)
    else:
        control.retry(job, by="ann")
        job = run(job)
    assert (job.status, job.error_code, len(model.asked)) == ("failed", "answer_lost", 1)


def test_the_name_that_prices_know_is_recorded_and_not_that_of_a_snapshot(model: ModelServer, settings: Any) -> None:
    there = settings.JOINTO_PROVIDERS
    small = replace(there.endpoints["openai"], text_model="small")
    settings.JOINTO_PROVIDERS = replace(there, endpoints={**there.endpoints, "openai": small})
    model.answers = [BROKEN, FOUND]
    run(tasks.start(make_episode().pk, model="openai"))
    assert {(row.model, row.cost is None) for row in Usage.objects.all()} == {("small", False)}


def test_the_operators_prompt_goes_before_the_file(model: ModelServer) -> None:
    Prompt.objects.create(name="extract", version=3, text="List everything.", active=True)
    Prompt.objects.create(name="extract", version=4, text="Not yet.")
    model.answers = [FOUND]
    extract(make_episode())
    assert model.asked[0]["messages"][0]["content"] == "List everything."
    assert Extraction.objects.get().prompt_version == "extract site 3"


def test_what_a_call_used_and_cost_is_recorded_by_job_user_kind_provider_and_month(
    model: ModelServer, api: APIClient, ann: User
) -> None:
    model.answers = [FOUND]
    episode = make_episode(make_project(ann))
    job = extract(episode)
    row = Usage.objects.get()
    assert (row.user, row.job, row.kind, row.provider, row.model) == (ann, job, job.kind, "openai", "small")
    assert (row.input_tokens, row.output_tokens, str(row.cost)) == (1000, 100, "0.003000")
    assert (row.project_id, row.month.day) == (episode.project_id, 1)
    told = api.get("/api/usage/", {"provider": "openai"}).json()
    assert (told["cost"], told["calls"], told["results"][0]["unpriced"]) == ("0.003000", 1, 0)


def test_a_key_is_in_no_row_and_no_log(model: ModelServer, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    caplog.set_level(logging.DEBUG)
    model.answers = [BROKEN, (401, {})]
    there = settings.JOINTO_PROVIDERS
    run(tasks.start(make_episode().pk, model=MODEL))
    wrong = replace(there.endpoints["openai"], key=type(there.endpoints["openai"].key)(f"{KEY}x"))
    settings.JOINTO_PROVIDERS = replace(there, endpoints={**there.endpoints, "openai": wrong})
    job = run(tasks.start(make_episode().pk, model=MODEL))  # the server repeats the key in its refusal
    assert (job.status, job.error_code) == ("failed", "provider_auth_failed")
    rows = [*Job.objects.all(), *Attempt.objects.all(), *Extraction.objects.all(), *Usage.objects.all()]
    said = " ".join(str(model_to_dict(row)) for row in rows) + caplog.text + repr(settings.JOINTO_PROVIDERS)
    assert KEY not in said
