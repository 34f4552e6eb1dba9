"""/metrics: in Prometheus's own format, never falling, and only for those who may read it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from jobs import control, statistics, transitions
from jobs.models import Attempt
from jobs.worker import heartbeat
from jointo import metrics
from tests.builders import make_claimed_job, make_job

pytestmark = pytest.mark.django_db

ADD = {"kind": "tests.kinds.add", "queue": "maintenance"}


def scraped() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What Prometheus reads: name and labels, value."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(read: dict[Any, float], name: str, **labels: str) -> float:
    return read[name, frozenset(labels.items())]


def test_jobs_are_told_by_status_kind_and_queue() -> None:
    make_job()
    transitions.complete(make_claimed_job(), None)
    read = scraped()
    assert value(read, "jointo_jobs", status="pending", **ADD) == 1
    assert value(read, "jointo_jobs", status="completed", **ADD) == 1
    assert value(read, "jointo_jobs_submitted_total", **ADD) == 2
    assert value(read, "jointo_job_ends_total", outcome="completed", **ADD) == 1


@pytest.mark.parametrize("wanted", ["text/plain; version=abc", "nonsense", "application/openmetrics-text; version=x"])
def test_a_format_that_nobody_knows_gets_the_usual_one(wanted: str) -> None:
    assert Client().get("/metrics", headers={"Accept": wanted}).status_code == 200


def test_durations_are_histograms_whose_buckets_add_up() -> None:
    for seconds in (0.05, 0.9, 1, 1.01, 50):
        job = make_claimed_job()
        transitions.complete(job, None)
        attempt = Attempt.objects.get(job=job)
        Attempt.objects.filter(pk=attempt.pk).update(ended_at=attempt.started_at + timedelta(seconds=seconds))
    read = scraped()
    name = "jointo_job_running_seconds"
    assert [value(read, f"{name}_bucket", le=le, **ADD) for le in ("0.01", "0.1", "1", "2.15", "100", "+Inf")] == [
        *(0, 1, 3, 4, 5, 5)
    ]
    assert value(read, f"{name}_count", **ADD) == 5
    assert value(read, f"{name}_sum", **ADD) == pytest.approx(52.96, abs=0.01)
    assert value(read, "jointo_job_waiting_seconds_count", **ADD) == 5


def test_no_counter_falls_when_old_hours_are_pruned() -> None:
    transitions.complete(make_claimed_job(), None)
    before = {key: n for key, n in scraped().items() if not key[0].startswith("jointo_queue")}
    assert statistics.prune(timezone.now() + settings.JOINTO_JOBS.keep_statistics + timedelta(hours=2))
    assert {key: n for key, n in scraped().items() if not key[0].startswith("jointo_queue")} == before


def test_workers_queues_and_dead_letters_are_told() -> None:
    heartbeat("w", queues=["ai", "media"], concurrency=3)
    control.pause("ai", by="root")
    transitions.fail(make_claimed_job(), code="unexpected", message="x", dead=True)
    make_job()
    read = scraped()
    assert value(read, "jointo_workers") == 1
    assert value(read, "jointo_queue_places", queue="media") == 3
    assert value(read, "jointo_queue_places", queue="export") == 0
    assert value(read, "jointo_queue_paused", queue="ai") == 1
    assert value(read, "jointo_queue_paused", queue="media") == 0
    assert value(read, "jointo_queue_oldest_waiting_seconds", queue="maintenance") >= 0
    assert value(read, "jointo_queue_oldest_waiting_seconds", queue="media") == 0
    assert value(read, "jointo_dead_letters_open", code="unexpected") == 1


def test_a_scrape_asks_the_same_however_many_jobs_there_are() -> None:
    costs = []
    for jobs in (1, 40):
        for _ in range(jobs):
            make_claimed_job()
        scraped()  # books what there is to be booked
        with CaptureQueriesContext(connection) as queries:
            scraped()
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


def test_with_a_token_only_its_holder_reads(settings: Any) -> None:
    settings.JOINTO_JOBS = replace(settings.JOINTO_JOBS, metrics_token="s3cret-é")
    for said in ("", "Bearer", "Bearer wrong", "Basic s3cret-é", "s3cret-é", "Bearer s3cret"):
        answer = Client().get("/metrics", headers={"Authorization": said} if said else {})
        assert answer.status_code == 401, said
        assert answer.json()["error"]["code"] == "not_authenticated"
        assert answer["WWW-Authenticate"] == "Bearer"
    assert Client().get("/metrics", headers={"Authorization": "Bearer s3cret-é"}).status_code == 200
    assert Client().post("/metrics").status_code == 405


def test_a_database_that_is_away_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError

    monkeypatch.setattr(metrics, "registry", away)
    answer = Client().get("/metrics")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"


def test_the_grafana_dashboard_asks_only_for_what_there_is() -> None:
    transitions.complete(make_claimed_job(), None)
    transitions.fail(make_claimed_job(), code="unexpected", message="x", dead=True)
    there = {name for name, _ in scraped()}
    board = json.loads((Path(settings.BASE_DIR) / "docs/deploy/grafana/jointo.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 10
    for expression in asked:
        words = expression.replace("(", " ").replace("{", " ").replace("[", " ").replace(")", " ").split()
        names = {word for word in words if word.startswith("jointo_")}
        assert names, expression
        assert names <= there, expression
