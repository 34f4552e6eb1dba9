"""One suite for all services: each is spoken to over HTTP, by a server that speaks its protocol and counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.providers.base import (
    AmbiguousSubmit,
    AnswerInvalid,
    AuthFailed,
    ContentRejected,
    GenerationCancelled,
    GenerationFailed,
    GenerationLost,
    InvalidRequest,
    ProviderTimeout,
    QuotaExceeded,
    RateLimited,
    Submitted,
    TextAnswer,
    Unavailable,
)
from assets.providers.downloads import ResultMissing, ResultRefused, download
from jobs.errors import Remedy
from tests.assets.providers.faces import Face, faces, refused, settings_for
from tests.assets.providers.serving import PICTURE, Told, nobody

Log = pytest.LogCaptureFixture


def by_url(face: Face) -> bool:
    """Whether it says where the result is, rather than giving it."""
    return face.kind != "text" and face.provider != "openai"


@faces()
def test_what_is_ordered_is_made_and_its_use_is_reported(face: Face) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        made = face.order(settings)
        if isinstance(made, TextAnswer):
            assert made.data == {"scenes": [{"place": "客厅"}]}
            assert (made.usage.input_tokens, made.usage.output_tokens, made.model) == (11, 7, "m-1")
        else:
            assert bool(made.results) is not face.tasks
            results, usage = made.results, made.usage
            if face.tasks:
                done = face.waited(settings, made)
                results, usage = done.results, done.usage
                assert service.looks == ["waiting", "running", "done"]
            assert [result.data or result.url for result in results] == [
                PICTURE if face.provider == "openai" else service.result_url
            ]
            assert usage.images or usage.seconds
        assert len(service.begun) == 1


@faces()
@pytest.mark.parametrize("way", ["told", "not told"])
def test_a_limited_rate_says_for_how_long(face: Face, way: str, caplog: Log) -> None:
    with face.service() as service:
        if way == "not told":
            told = service.refusals["rate"]
            service.refusals = {**service.refusals, "rate": type(told)(429, {"detail": "later"})}  # type: ignore[misc]
        service.fault = "rate"
        error = refused(lambda: face.order(settings_for(service, face.provider)), RateLimited, caplog)
        assert error.retry_after == (7.0 if way == "told" else None)
        assert error.remedy is Remedy.WAIT
        assert (len(service.begun), len(service.requests)) == (0, 1)


@faces()
@pytest.mark.parametrize(
    ("situation", "kind"),
    [
        ("quota", QuotaExceeded),
        ("down", Unavailable),
        ("invalid", InvalidRequest),
        ("content", ContentRejected),
    ],
)
def test_a_refusal_is_told_apart_by_what_helps(
    face: Face, situation: str, kind: type[QuotaExceeded], caplog: Log
) -> None:
    with face.service() as service:
        service.fault = situation
        error = refused(lambda: face.order(settings_for(service, face.provider)), kind, caplog)
        assert len(service.requests) == 1
        refused_in_the_answer = situation == "content" and face.provider == "anthropic"
        assert len(service.begun) == refused_in_the_answer
        assert error.details["provider"] == face.provider
        assert bool(error.usage) is refused_in_the_answer  # what it cost all the same


@faces(lambda face: face.provider in ("http", "openai"))
def test_what_a_router_says_of_what_lies_behind_it_is_not_believed_of_an_order(face: Face, caplog: Log) -> None:
    """Heroku's answers 503 after half a minute, while the program behind it goes on."""
    html = Told(503, b"<html>Application error</html>", {"content-type": "text/html"})
    with face.service() as service:
        service.refusals = {**service.refusals, "router": html}  # type: ignore[misc]
        service.fault = "router"
        kind = Unavailable if face.kind == "text" else AmbiguousSubmit
        refused(lambda: face.order(settings_for(service, face.provider)), kind, caplog)
        assert len(service.requests) == 1


@faces()
def test_a_wrong_key_is_the_operators_affair_and_said_to_nobody(face: Face, caplog: Log) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider, key="another-key-0123456789")
        error = refused(lambda: face.order(settings), AuthFailed, caplog)
        assert error.needs_operator
        assert "another-key" not in str(error)
        assert (len(service.begun), len(service.requests)) == (0, 1)


@faces()
def test_what_surely_did_not_arrive_may_be_tried_again(face: Face, caplog: Log) -> None:
    error = refused(lambda: face.order(settings_for(nobody(), face.provider)), Unavailable, caplog)
    assert error.remedy is Remedy.BACK_OFF


@faces()
@pytest.mark.parametrize("fault", ["cut", "slow"])
def test_what_may_have_arrived_is_not_sent_again(face: Face, fault: str, caplog: Log) -> None:
    with face.service() as service:
        service.fault = fault
        settings = settings_for(service, face.provider)
        if fault == "slow":
            settings = settings_for(service, face.provider, text=0.3, submit=0.3, image=0.3, video=0.3)
        error = refused(lambda: face.order(settings), face.lost, caplog)
        assert error.remedy is Remedy.NONE
        assert error.needs_operator is (face.kind != "text")
        if fault == "cut":
            assert (len(service.begun), len(service.requests)) == (1, 1)
    assert len(service.requests) <= 1


@faces()
def test_a_connection_that_is_cut_before_anything_is_read_is_not_used_twice(face: Face, caplog: Log) -> None:
    with face.service() as service:
        service.deaf = True
        refused(lambda: face.order(settings_for(service, face.provider)), face.lost, caplog)
        assert (service.connections, len(service.begun)) == (1, 0)


@faces()
def test_an_answer_that_can_not_be_read_is_not_asked_for_again(face: Face, caplog: Log) -> None:
    with face.service() as service:
        service.fault = "garbled"
        kind = AnswerInvalid if face.kind == "text" else AmbiguousSubmit
        refused(lambda: face.order(settings_for(service, face.provider)), kind, caplog)
        assert (len(service.begun), len(service.requests)) == (1, 1)


@faces()
def test_a_failure_amid_the_work_is_asked_again_only_where_nothing_is_left_behind(face: Face, caplog: Log) -> None:
    with face.service() as service:
        service.fault = "broken"
        kind = Unavailable if face.kind == "text" else AmbiguousSubmit
        refused(lambda: face.order(settings_for(service, face.provider)), kind, caplog)
        assert len(service.requests) == 1


@faces(lambda face: face.kind == "text")
@pytest.mark.parametrize("text", ['{"scenes": []}', '{"scenes": [{"place": 7}]}', "Of course! Here it is:", "", "NaN"])
def test_an_answer_that_does_not_keep_to_the_schema_is_kept_with_what_it_cost(
    face: Face, text: str, caplog: Log
) -> None:
    with face.service() as service:
        service.text = text
        error = refused(lambda: face.order(settings_for(service, face.provider)), AnswerInvalid, caplog)
        assert isinstance(error, AnswerInvalid)
        assert error.answer
        assert (error.answer.text, error.answer.usage.output_tokens, len(error.problems)) == (text, 7, 1)
        assert len(service.begun) == 1


@faces(lambda face: face.tasks)
def test_a_word_for_a_state_that_nobody_knows_means_that_it_goes_on(face: Face) -> None:
    with face.service() as service:
        service.phases = ["strange", "strange", "done"]
        assert face.finished(settings_for(service, face.provider))
        assert len(service.looks) == 3


@faces(lambda face: face.tasks)
@pytest.mark.parametrize(
    ("phase", "kind"),
    [("failed", GenerationFailed), ("refused", ContentRejected), ("cancelled", GenerationCancelled)],
)
def test_a_task_that_ends_without_a_result_says_why(
    face: Face, phase: str, kind: type[GenerationFailed], caplog: Log
) -> None:
    with face.service() as service:
        service.phases = ["running", phase]
        refused(lambda: face.finished(settings_for(service, face.provider)), kind, caplog)
        assert len(service.begun) == 1


@faces(lambda face: face.tasks)
def test_a_task_that_its_service_does_not_know_yet_is_asked_for_again(face: Face) -> None:
    with face.service() as service:
        service.phases = ["unseen", "unseen", "done"]
        assert face.finished(settings_for(service, face.provider))


@faces(lambda face: face.tasks)
def test_a_task_that_its_service_has_forgotten_is_for_a_person_to_look_at(face: Face, caplog: Log) -> None:
    with face.service() as service:
        service.phases = ["unseen"]
        settings = settings_for(service, face.provider)
        made = face.order(settings)
        assert isinstance(made, Submitted)
        asked = lambda: face.media(settings).poll(made.provider_id, age_seconds=3600)  # noqa: E731
        assert refused(asked, GenerationLost, caplog).needs_operator


@faces(lambda face: face.tasks)
@pytest.mark.parametrize(
    ("phase", "kind"),
    [("cut", Unavailable), ("garbled", Unavailable), ("down", Unavailable), ("slow", ProviderTimeout)],
)
def test_a_look_that_broke_off_is_taken_again_and_nothing_else(
    face: Face, phase: str, kind: type[Unavailable], caplog: Log
) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        made = face.order(settings)
        assert isinstance(made, Submitted)
        service.phases = [phase, "done"]
        hasty = settings_for(service, face.provider, poll=2) if phase == "slow" else settings
        error = refused(lambda: face.media(hasty).poll(made.provider_id, age_seconds=0), kind, caplog)
        assert error.remedy is Remedy.BACK_OFF
        service.phases = ["done"]  # a look that ended in no time may never have arrived
        assert face.waited(settings, made).results
        assert len(service.begun) == 1


@faces(lambda face: face.tasks)
def test_cancelling_is_passed_on_and_too_late_is_no_trouble(face: Face) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        made = face.order(settings)
        assert isinstance(made, Submitted)
        face.media(settings).cancel(made.provider_id)
        assert len(service.cancelled) == 1
        face.media(settings).cancel(made.provider_id.replace("1", "2"))  # one that the service does not know


@faces(by_url)
def test_a_result_that_is_not_there_at_first_is_fetched_and_not_made_again(face: Face, tmp_path: Path) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        service.file_missing = 2
        (result,) = face.finished(settings)
        size = download(result, into=tmp_path / "file", max_bytes=10_000, settings=settings.downloading)
        assert (tmp_path / "file").read_bytes() == PICTURE
        assert (size, len(service.begun)) == (len(PICTURE), 1)


@faces(by_url)
def test_a_result_that_never_comes_is_worth_another_try(face: Face, tmp_path: Path) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        service.file_missing = 1000
        (result,) = face.finished(settings)
        with pytest.raises(ResultMissing) as caught:
            download(result, into=tmp_path / "file", max_bytes=10_000, settings=settings.downloading)
        assert caught.value.remedy is Remedy.RETRY
        assert not (tmp_path / "file").exists()
        assert service.file_missing == 1000 - 1 - len(settings.downloading.waits)


@faces(lambda face: face.kind != "text")
def test_a_result_that_is_too_large_is_not_kept(face: Face, tmp_path: Path) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        service.file = PICTURE * 1000
        (result,) = face.finished(settings)
        with pytest.raises(ResultRefused, match="larger"):
            download(result, into=tmp_path / "file", max_bytes=10_000, settings=settings.downloading)
        assert not (tmp_path / "file").exists()


@faces(by_url)
@pytest.mark.parametrize("host", ["127.0.0.1:6379", "169.254.169.254", "[::1]:8000", "10.0.0.7"])
def test_a_result_that_points_inward_is_not_fetched(face: Face, host: str, tmp_path: Path) -> None:
    with face.service() as service:
        settings = settings_for(service, face.provider)
        service.file_url = f"http://{host}/latest/meta-data"
        (result,) = face.finished(settings)
        with pytest.raises(ResultRefused):
            download(result, into=tmp_path / "file", max_bytes=10_000, settings=settings.downloading)
        assert not (tmp_path / "file").exists()
