"""Orders that are on their way, or out at a service, while people cancel, retry and delete: none is lost or doubled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import F

from assets import keeping, tasks
from assets.conf import Limit
from assets.generation import rows, services, upkeep
from assets.generation.errors import GenerationTaken
from assets.limiting import SharedLimiter
from assets.models import Generation, GenerationState, ProviderCall, Usage
from assets.providers.http import Http
from assets.providers.openai import OpenAI
from assets.providers.replicate import Replicate
from jobs import control
from jobs.context import JobContext
from jobs.models import Job
from jobs.status import JobStatus
from jobs.testing import Clock, run
from tests.assets.generation.conftest import Set, png
from tests.assets.generation.test_generating import errors_of, generated, picture, row_of
from tests.assets.providers.faces import settings_for
from tests.assets.providers.making import HttpService, ReplicateService
from tests.assets.providers.serving import Seen, Told
from tests.assets.providers.speaking import OpenAIService

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

Out = Callable[[type, Callable[[], object]], None]


@pytest.fixture
def while_out(monkeypatch: pytest.MonkeyPatch) -> Out:
    """Have something happen between a service's first answer to an order, and the word of it in its row."""

    def put(service: type, act: Callable[[], object]) -> None:
        for name in ("submit_image", "submit_video"):
            monkeypatch.setattr(service, name, _followed(getattr(service, name), act))

    return put


def _followed(submit: Any, act: Callable[[], object]) -> Any:
    acts = [act]

    def submitted(*given: Any) -> Any:
        answer = submit(*given)
        if acts:
            acts.pop()()
        return answer

    return submitted


def again(job: Job) -> Job:
    """Retried by hand, and done."""
    control.retry(Job.objects.get(pk=job.pk), by="ann")
    return run(job)


def out_at(ann: User, **fields: Any) -> Job:
    """A job whose order is out, and for which nobody works."""
    job = picture(ann, model="replicate:o/n")
    said = {"submit_started_at": job.created_at, "provider_id": "pred1", "provider": "replicate", **fields}
    Generation.objects.filter(job=job).update(state=GenerationState.SUBMITTED, **said)
    return job


# -- on their way ----------------------------------------------------------------------------------------


def test_the_upkeep_leaves_an_order_alone_that_is_on_its_way(
    ann: User, replicate: ReplicateService, while_out: Out
) -> None:
    job = picture(ann, model="replicate:o/n")

    def act() -> None:
        control.cancel(job, by="ann")
        assert upkeep.pass_cancels_on() == 0

    while_out(Replicate, act)
    assert run(job).status == JobStatus.CANCELLED
    assert (replicate.cancelled, row_of(job).provider_id) == (["pred1"], "pred1")
    assert row_of(job).state == GenerationState.CANCELLED


def test_what_came_with_the_answer_is_kept_through_a_cancel_and_costs_nothing_again(
    ann: User, openai: OpenAIService, while_out: Out
) -> None:
    job = picture(ann, model="openai:gpt-image-2")

    def act() -> None:
        control.cancel(job, by="ann")
        assert upkeep.pass_cancels_on() == 0

    while_out(OpenAI, act)
    assert run(job).status == JobStatus.CANCELLED
    assert (row_of(job).state, Usage.objects.count()) == (GenerationState.DOWNLOADING, 1)
    assert (again(job).status, len(openai.begun), Usage.objects.count()) == (JobStatus.COMPLETED, 1, 1)


def test_an_order_of_which_nobody_will_hear_any_more_is_for_a_person(ann: User, replicate: ReplicateService) -> None:
    job = out_at(ann, provider_id="")
    Generation.objects.update(state=GenerationState.SUBMITTING)
    control.cancel(job, by="ann")
    assert (upkeep.pass_cancels_on(), row_of(job).state) == (0, GenerationState.SUBMITTING)
    Generation.objects.update(submit_started_at=F("submit_started_at") - timedelta(hours=1))
    assert (upkeep.pass_cancels_on(), row_of(job).state) == (1, GenerationState.AMBIGUOUS)
    assert row_of(job).error_code == "create_ambiguous"


def test_cancelled_and_retried_while_it_is_on_its_way_it_is_ordered_once(
    ann: User, replicate: ReplicateService, while_out: Out
) -> None:
    job = picture(ann, model="replicate:o/n")

    def act() -> None:
        control.cancel(job, by="ann")
        control.retry(Job.objects.get(pk=job.pk), by="ann")

    while_out(Replicate, act)
    run(job)
    assert row_of(job).provider_id == "pred1"
    done = Job.objects.get(pk=job.pk)
    if done.status != JobStatus.COMPLETED:
        done = run(job)
    assert (done.status, len(replicate.begun), replicate.cancelled) == (JobStatus.COMPLETED, 1, [])


def test_an_answer_that_comes_after_the_next_attempt_gave_up_is_found_by_a_retry(
    ann: User, replicate: ReplicateService, while_out: Out
) -> None:
    job = picture(ann, model="replicate:o/n")

    def act() -> None:
        control.cancel(job, by="ann")
        assert errors_of(again(job)) == "create_ambiguous"
        assert row_of(job).state == GenerationState.AMBIGUOUS

    while_out(Replicate, act)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assets.generation.receiving.pause", lambda *_: None)
        run(job)
    assert (row_of(job).state, row_of(job).provider_id) == (GenerationState.SUBMITTED, "pred1")
    assert (again(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


def test_the_answer_to_an_order_that_was_begun_anew_changes_nothing(ann: User, replicate: ReplicateService) -> None:
    job = picture(ann, model="replicate:o/n")
    ctx = JobContext(job_id=job.pk, attempt=1, owner_id=ann.pk)
    Generation.objects.update(state=GenerationState.SUBMITTING, submit_started_at=job.created_at)
    old = row_of(job)
    Generation.objects.update(submit_started_at=F("submit_started_at") + timedelta(seconds=1))
    with pytest.raises(GenerationTaken):
        rows.keep(old, ctx, GenerationState.SUBMITTED, provider_id="pred0")
    assert row_of(job).provider_id == ""


def test_an_order_that_the_time_limit_ended_is_not_made_again_unasked(
    ann: User, replicate: ReplicateService, while_out: Out
) -> None:
    job = picture(ann, model="replicate:o/n")
    Job.objects.filter(pk=job.pk).update(max_attempts=1)

    def exceeded() -> None:
        raise SoftTimeLimitExceeded

    while_out(Replicate, exceeded)
    assert errors_of(run(job)) == "time_limit"
    assert (errors_of(again(job)), len(replicate.begun)) == ("create_ambiguous", 1)
    assert (again(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 2)  # a person has looked there


@pytest.mark.parametrize("model", ["replicate:o/n", "openai:gpt-image-2"])
def test_deleted_while_it_is_on_its_way_it_is_cancelled_and_counted(
    model: str, ann: User, setting: Set, while_out: Out, caplog: pytest.LogCaptureFixture
) -> None:
    name, kind = model.partition(":")[0], {"replicate": Replicate, "openai": OpenAI}[model.partition(":")[0]]
    with (ReplicateService if name == "replicate" else OpenAIService)() as service:
        service.file = png()
        setting(settings_for(service, name))
        job = picture(ann, model=model)
        while_out(kind, lambda: rows.discard(row_of(job), by="ann"))
        run(job)
        assert service.cancelled == (["pred1"] if name == "replicate" else [])
    assert (Generation.objects.count(), Usage.objects.count(), generated()) == (0, 1, [])
    assert "a follow-up of the attempt failed" not in caplog.text


def test_a_cancel_during_an_order_that_is_turned_away_leaves_nothing_in_doubt(
    ann: User, replicate: ReplicateService, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicate.fault = "down"
    job = picture(ann, model="replicate:o/n")
    submit = Replicate.submit_image

    def submitted(*given: Any) -> Any:
        control.cancel(job, by="ann")
        return submit(*given)

    monkeypatch.setattr(Replicate, "submit_image", submitted)
    run(job)
    assert row_of(job).state == GenerationState.CANCELLED


@pytest.mark.parametrize("state", [GenerationState.CANCELLED, GenerationState.AMBIGUOUS, GenerationState.FAILED])
def test_what_has_ended_is_not_taken_for_something_that_is_there(
    state: GenerationState, ann: User, replicate: ReplicateService
) -> None:
    job = out_at(ann)
    Generation.objects.update(state=state)
    assert (errors_of(run(job)), row_of(job).state) == ("generation_ended", state)
    assert (again(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


# -- out at a service ------------------------------------------------------------------------------------


def test_a_key_that_is_refused_at_a_look_does_not_have_it_paid_again(ann: User, replicate: ReplicateService) -> None:
    authorised = replicate.authorised
    replicate.authorised = lambda seen: seen.method == "POST"  # type: ignore[method-assign]
    job = run(picture(ann, model="replicate:o/n"))
    assert (errors_of(job), row_of(job).state) == ("provider_auth_failed", GenerationState.SUBMITTED)
    replicate.authorised = authorised  # type: ignore[method-assign]
    assert (again(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


def test_a_cancel_that_a_service_did_not_hear_is_told_again(ann: User, replicate: ReplicateService) -> None:
    job = out_at(ann)
    control.cancel(job, by="ann")
    look = replicate.look
    replicate.look = lambda seen: Told(503, {"detail": "down"})  # type: ignore[method-assign]
    assert (upkeep.pass_cancels_on(), row_of(job).state) == (0, GenerationState.SUBMITTED)
    replicate.look = look  # type: ignore[method-assign]
    assert (upkeep.pass_cancels_on(), replicate.cancelled) == (1, ["pred1"])
    assert row_of(job).state == GenerationState.CANCELLED


def test_a_service_that_never_hears_is_told_for_a_day(ann: User, replicate: ReplicateService) -> None:
    job = out_at(ann)
    control.cancel(job, by="ann")
    replicate.look = lambda seen: Told(503, {"detail": "down"})  # type: ignore[method-assign]
    Generation.objects.update(submit_started_at=F("submit_started_at") - timedelta(hours=25))
    assert (upkeep.pass_cancels_on(), row_of(job).state) == (1, GenerationState.CANCELLED)


def test_a_service_that_is_away_is_asked_once_in_a_round(ann: User, replicate: ReplicateService) -> None:
    for _ in range(3):
        control.cancel(out_at(ann), by="ann")
    before = len(replicate.requests)
    replicate.look = lambda seen: Told(503, {"detail": "down"})  # type: ignore[method-assign]
    assert (upkeep.pass_cancels_on(), len(replicate.requests) - before) == (0, 1)


def test_a_job_that_was_retried_meanwhile_is_not_cancelled(
    ann: User, replicate: ReplicateService, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = out_at(ann), out_at(ann)
    for job in (first, second):
        control.cancel(job, by="ann")
    cancel = services.cancel_quietly

    def slowly(row: Generation) -> bool:
        control.retry(Job.objects.get(pk=second.pk), by="ann")
        return cancel(row)

    monkeypatch.setattr(services, "cancel_quietly", slowly)
    assert (upkeep.pass_cancels_on(), replicate.cancelled) == (1, ["pred1"])
    assert row_of(second).state == GenerationState.SUBMITTED
    assert (run(second).status, replicate.begun) == (JobStatus.COMPLETED, [])


def test_one_that_is_retried_while_its_service_is_told_stays_as_it_is(
    ann: User, replicate: ReplicateService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = out_at(ann)
    control.cancel(job, by="ann")

    def told(row: Generation) -> bool:
        control.retry(Job.objects.get(pk=job.pk), by="ann")
        return True

    monkeypatch.setattr(services, "cancel_quietly", told)
    assert (upkeep.pass_cancels_on(), row_of(job).state) == (0, GenerationState.SUBMITTED)


def test_an_id_may_be_long(ann: User, replicate: ReplicateService) -> None:
    name = "x" * 4000
    started = Told(201, {"id": name, "status": "starting"})
    done = Told(body={"status": "succeeded", "output": [replicate.result_url]})
    replicate.order = lambda seen: started if seen.method == "POST" else None  # type: ignore[method-assign]
    replicate.look = lambda seen: done if seen.path == f"/predictions/{name}" else None  # type: ignore[method-assign]
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, row_of(job).provider_id) == (JobStatus.COMPLETED, name)
    assert Generation._meta.get_field("provider_id").max_length is None


def test_the_address_of_a_result_that_is_gone_is_asked_for_again_and_not_paid_again(
    ann: User, replicate: ReplicateService
) -> None:
    replicate.file_missing = 4 * 4
    job = picture(ann, model="replicate:o/n")
    for _ in range(4):
        job = run(job)
        Clock().turn(timedelta(hours=1))
    assert (job.status, errors_of(job)) == (JobStatus.FAILED, "result_missing")
    looks = len(replicate.looks)
    assert (again(job).status, len(replicate.looks) > looks, len(replicate.begun)) == (JobStatus.COMPLETED, True, 1)
    assert Usage.objects.count() == 1


# -- keys of orders --------------------------------------------------------------------------------------


def keys(http: HttpService) -> list[str]:
    return [seen.headers["idempotency-key"] for seen in http.begun]


def test_what_is_made_anew_is_asked_for_by_a_new_key(ann: User, http: HttpService) -> None:
    http.file = b"not a picture"
    job = run(picture(ann, model="http"))
    assert errors_of(job) == "generation_unusable"
    http.file = png()
    assert again(job).status == JobStatus.COMPLETED
    assert len(set(keys(http))) == 2


def test_what_may_have_been_begun_is_asked_for_by_the_same_key(ann: User, http: HttpService) -> None:
    http.fault = "cut"
    job = run(picture(ann, model="http"))
    assert errors_of(job) == "create_ambiguous"
    assert again(job).status == JobStatus.COMPLETED
    assert (len(keys(http)), len(set(keys(http)))) == (2, 1)


def test_a_router_that_stopped_waiting_does_not_have_it_ordered_again(ann: User, http: HttpService) -> None:
    order = http.order

    def worked(seen: Seen) -> Told | None:
        told = order(seen)
        http.begun.append(seen)
        return told and Told(503, b"<html>Application error</html>", {"content-type": "text/html"})

    http.order = worked  # type: ignore[method-assign]
    job = run(picture(ann, model="http"))
    assert (job.status, errors_of(job), len(http.begun)) == (JobStatus.FAILED, "create_ambiguous", 1)


# -- turns -----------------------------------------------------------------------------------------------


def test_a_call_counts_for_as_long_as_it_may_take(ann: User, http: HttpService, settings: Any, while_out: Out) -> None:
    patience = replace(settings.JOINTO_PROVIDERS.patience, video=1800.0)
    settings.JOINTO_PROVIDERS = replace(settings.JOINTO_PROVIDERS, patience=patience)
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, limits={"http": Limit(at_once=1)})
    job, _ = tasks.generate_video.submit(("text2video", "rain"), {"model": "http"}, owner_id=ann.pk)
    seen: list[ProviderCall] = []
    while_out(Http, lambda: seen.extend(ProviderCall.objects.all()))
    run(Job.objects.get(pk=job.pk))
    assert [call.expires_at - call.started_at > timedelta(seconds=1800) for call in seen] == [True]


def test_nothing_interrupts_between_a_turn_and_its_call(
    ann: User, replicate: ReplicateService, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    def noted(what: str) -> Any:
        @contextlib.contextmanager
        def entered(*given: Any, **named: Any) -> Iterator[None]:
            events.append(what)
            yield

        return entered

    monkeypatch.setattr(JobContext, "uninterrupted", noted("uninterrupted"))
    monkeypatch.setattr(SharedLimiter, "acquire", noted("turn"))
    assert run(picture(ann, model="replicate:o/n")).status == JobStatus.COMPLETED
    assert events == ["uninterrupted", "turn"]


# -- a database that goes away ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("state", [GenerationState.SUBMITTED, GenerationState.DOWNLOADING])
def test_an_answer_outlives_a_database_that_goes_away(
    state: GenerationState,
    committed: bool,
    ann: User,
    replicate: ReplicateService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep, troubles = rows.keep, [1]

    def broken(row: Generation, ctx: JobContext, to: GenerationState, **said: Any) -> None:
        if to == state and troubles:
            troubles.pop()
            if committed:
                keep(Generation.objects.get(pk=row.pk), ctx, to, **said)
            raise OperationalError("terminating connection due to administrator command")
        keep(row, ctx, to, **said)

    monkeypatch.setattr(rows, "keep", broken)
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, len(replicate.begun), troubles) == (JobStatus.COMPLETED, 1, [])
    assert Usage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    monkeypatch.setattr("assets.keeping.time.sleep", tries.append)

    def write() -> None:
        raise OperationalError("no")

    with pytest.raises(OperationalError):
        keeping.surely(write)
    assert tries == list(keeping._PAUSES)
