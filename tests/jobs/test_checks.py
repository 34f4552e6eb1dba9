"""Mistakes in the configuration, found at start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

from jobs import schedule, signing


def found(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> list[str]:
    monkeypatch.setattr(settings, "JOINTO_JOBS", replace(settings.JOINTO_JOBS, **changed))
    return [str(message.id) for message in run_checks() if str(message.id).startswith("jobs.")]


def test_a_sound_configuration_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch) == []
    assert found(monkeypatch, inner_hosts=("10.0.0.0/8", "hooks.local", "127.0.0.1:8080")) == []
    secret = signing.new_secret()
    assert found(monkeypatch, operator_webhook_url="https://example.org", operator_webhook_secret=secret) == []


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "http://hooks.local/", ""])
def test_an_inner_host_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    assert found(monkeypatch, inner_hosts=(entry,)) == ["jobs.E003"]


@pytest.mark.parametrize("secret", ["", "secret", "whsec_abc"])
def test_a_webhook_of_the_operator_needs_a_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    said = found(monkeypatch, operator_webhook_url="https://example.org", operator_webhook_secret=secret)
    assert said == ["jobs.E004"]


def test_a_kind_whose_queue_nobody_serves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CELERY_TASK_QUEUES", {"ai": {}, "media": {}, "export": {}, "assets": {}})
    assert set(found(monkeypatch)) == {"jobs.E001"}


def test_another_result_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CELERY_RESULT_BACKEND", "django-db")
    assert found(monkeypatch) == ["jobs.E002"]


@pytest.mark.parametrize("task", ["tests.kinds.add", "tests.kinds.plain", "tests.kinds.not_there"])
def test_a_periodic_entry_that_could_only_fail_is_named(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    monkeypatch.setitem(schedule._entries, task, ("Every night", schedule.Daily(hour=4)))
    assert found(monkeypatch) == ["jobs.E005"]


def test_a_periodic_entry_may_leave_out_what_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schedule._entries, "tests.kinds.effect", ("Every night", schedule.Daily(hour=4)))
    assert found(monkeypatch) == []
