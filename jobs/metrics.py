"""The numbers of jobs as Prometheus takes them.

Counters and histograms come from sums over all time, which no clean-up lowers and no restart resets; whichever
process answers, the figures are the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django.conf import settings
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs import presence
from jobs.histogram import LAST, PER_DECADE, upper_seconds
from jobs.models import Tally
from jobs.statistics import ENDED, EVER, RAN, RAN_MS, STATUS, SUBMITTED, WAITED, WAITED_MS

# Three bounds to a factor of ten, from 10 ms (bucket 24) on: each is the upper bound of a bucket of jobs.histogram.
_BOUNDS = range(PER_DECADE, LAST - 2 * PER_DECADE + 1, PER_DECADE // 3)

Labels = tuple[str, str]
"""Kind, queue."""


class JobCollector(Collector):
    """Reads everything anew at each scrape: tallies, and a handful of rows."""

    def collect(self) -> Iterator[Metric]:
        by_measure: defaultdict[str, list[tuple[Labels, str, int]]] = defaultdict(list)
        rows = Tally.objects.filter(hour=EVER).order_by("measure", "kind", "queue", "bucket")
        for measure, kind, queue, bucket, n in rows.values_list("measure", "kind", "queue", "bucket", "n"):
            by_measure[measure].append(((kind, queue), bucket, n))
        yield _jobs(by_measure[STATUS])
        yield _submitted(by_measure[SUBMITTED])
        yield _ended(by_measure[ENDED])
        waited = "How long attempts waited for a worker, from the moment that they were due."
        yield _histogram("jointo_job_waiting_seconds", waited, by_measure[WAITED], by_measure[WAITED_MS])
        ran = "How long attempts ran, however they ended."
        yield _histogram("jointo_job_running_seconds", ran, by_measure[RAN], by_measure[RAN_MS])
        yield from _presence()


def registry() -> CollectorRegistry:
    """All that Jointo tells Prometheus."""
    found = CollectorRegistry()
    found.register(JobCollector())
    return found


def _jobs(rows: Iterable[tuple[Labels, str, int]]) -> Metric:
    gauge = GaugeMetricFamily("jointo_jobs", "Jobs by status.", labels=["kind", "queue", "status"])
    for labels, status, n in rows:
        gauge.add_metric([*labels, status], max(0, n))
    return gauge


def _submitted(rows: Iterable[tuple[Labels, str, int]]) -> Metric:
    counter = CounterMetricFamily("jointo_jobs_submitted", "Jobs recorded.", labels=["kind", "queue"])
    for labels, _, n in rows:
        counter.add_metric(labels, n)
    return counter


def _ended(rows: Iterable[tuple[Labels, str, int]]) -> Metric:
    said = (
        "Ends of jobs (completed, failed, cancelled) and of attempts (retried, crashed, handed_back); "
        "an end may be counted under one word of each."
    )
    counter = CounterMetricFamily("jointo_job_ends", said, labels=["kind", "queue", "outcome"])
    for labels, outcome, n in rows:
        counter.add_metric([*labels, outcome], n)
    return counter


def _histogram(
    name: str, said: str, rows: Iterable[tuple[Labels, str, int]], sums: Iterable[tuple[Labels, str, int]]
) -> Metric:
    family = HistogramMetricFamily(name, said, labels=["kind", "queue"])
    found: defaultdict[Labels, Counter[int]] = defaultdict(Counter)
    for labels, bucket, n in rows:
        found[labels][int(bucket)] += n
    milliseconds = {labels: n for labels, _, n in sums}
    for labels, buckets in found.items():
        upto = [(_le(bound), sum(n for bucket, n in buckets.items() if bucket <= bound)) for bound in _BOUNDS]
        family.add_metric(labels, [*upto, ("+Inf", buckets.total())], milliseconds.get(labels, 0) / 1000)
    return family


def _le(bucket: int) -> str:
    return f"{upper_seconds(bucket):.3g}"


def _presence() -> Iterator[Metric]:
    workers = presence.workers()
    alive = GaugeMetricFamily("jointo_workers", "Workers whose heartbeat is fresh.")
    alive.add_metric([], sum(worker["alive"] for worker in workers))
    yield alive
    queues = sorted(settings.CELERY_TASK_QUEUES)
    places = presence.places(workers)
    said = "How many attempts of a queue can run at once; a worker of several queues counts for each."
    yield _by("jointo_queue_places", said, "queue", {queue: places[queue] for queue in queues})
    paused = presence.paused()
    yield _by("jointo_queue_paused", "1: paused by an operator.", "queue", {q: q in paused for q in queues})
    oldest = presence.waiting_seconds(queues)
    said = "How long the job has been due that has waited longest; 0: none waits."
    yield _by("jointo_queue_oldest_waiting_seconds", said, "queue", {q: oldest.get(q, 0.0) for q in queues})
    letters = Counter(code for _, code in presence.open_letters())
    said = f"Dead letters that nobody has resolved, of the first {presence.LETTERS_AT_MOST}."
    yield _by("jointo_dead_letters_open", said, "code", letters)


def _by(name: str, said: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, said, labels=[label])
    for value, n in sorted(values.items()):
        gauge.add_metric([value], float(n))
    return gauge
