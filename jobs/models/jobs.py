"""Jobs, their attempts and moves. No logic: rows are moved by `jobs.transitions`."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.batches import Batch
from jobs.priority import NORMAL
from jobs.status import FINISHED, TRANSITIONS, WAITING, JobStatus, Outcome, celery_state

JOB_STATUSES = [
    (JobStatus.PENDING.value, _("pending")),
    (JobStatus.PROCESSING.value, _("processing")),
    (JobStatus.RETRYING.value, _("retrying")),
    (JobStatus.COMPLETED.value, _("completed")),
    (JobStatus.FAILED.value, _("failed")),
    (JobStatus.CANCELLED.value, _("cancelled")),
]
OUTCOMES = [
    (Outcome.RUNNING.value, _("running")),
    (Outcome.COMPLETED.value, _("completed")),
    (Outcome.FAILED.value, _("failed")),
    (Outcome.CRASHED.value, _("crashed")),
    (Outcome.CANCELLED.value, _("cancelled")),
    (Outcome.HANDED_BACK.value, _("handed back")),
]
HOLDS = [("", _("nothing")), ("later", _("its time")), ("limit", _("a limit"))]

_WAITING = sorted(status.value for status in WAITING)
_FINISHED = sorted(status.value for status in FINISHED)
_WAITS = Q(status__in=_WAITING, released_at__isnull=True)


class Hold(StrEnum):
    """What keeps a waiting job from being released."""

    NONE = ""  # nothing: it stands in its queue's line
    LATER = "later"  # its run_at has not come
    LIMIT = "limit"  # as many of its kind, or of its owner's, are at it as may be


class Job(models.Model):
    """One piece of work, from the moment it was accepted. The row is the truth; Celery only carries it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=200, help_text=_("the task's name"))
    queue = models.CharField(_("queue"), max_length=50)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_index=False,
    )
    subject = models.CharField(_("subject"), max_length=200, blank=True, default="")
    args = models.JSONField(_("positional arguments"), default=list)
    kwargs = models.JSONField(_("keyword arguments"), default=dict)
    batch = models.ForeignKey(
        Batch,
        verbose_name=_("batch"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_index=False,
    )
    callback_url = models.URLField(_("callback URL"), max_length=2000, blank=True, default="")
    reserved_at = models.DateTimeField(_("quota reserved at"), null=True, blank=True)
    canvas = models.JSONField(_("what Celery's canvas wants done afterwards"), default=dict)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True, blank=True)  # noqa: DJ001  NULLs never collide

    status = models.CharField(_("status"), max_length=10, choices=JOB_STATUSES, default=JobStatus.PENDING.value)
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        default=NORMAL,
        validators=[MinValueValidator(0), MaxValueValidator(10)],
        help_text=_("10 is first, 0 is last"),
    )
    level = models.PositiveSmallIntegerField(
        _("level"), default=NORMAL, help_text=_("the priority, and what was gained by waiting")
    )
    turn = models.BigIntegerField(_("turn"), null=True, blank=True, help_text=_("place among equals, fair to owners"))
    hold = models.CharField(_("held back by"), max_length=5, blank=True, default="", choices=HOLDS)
    attempt = models.PositiveIntegerField(_("attempt"), default=0, help_text=_("the fencing number"))
    max_attempts = models.PositiveIntegerField(_("attempts at most"), default=1)
    retry_count = models.PositiveIntegerField(_("retries"), default=0)
    crashes = models.PositiveIntegerField(_("crashes"), default=0)
    setbacks = models.PositiveIntegerField(
        _("setbacks"), default=0, help_text=_("how often in a row the other side was unavailable")
    )
    fallback = models.CharField(_("fallback"), max_length=100, blank=True, default="")

    current = models.BigIntegerField(_("progress"), default=0)
    total = models.BigIntegerField(_("of"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True, default="")
    result = models.JSONField(_("result"), null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    error_message = models.TextField(_("error"), blank=True, default="")

    run_at = models.DateTimeField(_("not before"))
    deadline_at = models.DateTimeField(_("not after"), null=True, blank=True)
    released_at = models.DateTimeField(_("given to the broker at"), null=True, blank=True)
    releases = models.PositiveIntegerField(_("times given to the broker"), default=0)
    unknown_since = models.DateTimeField(
        _("of an unknown kind since"), null=True, blank=True, help_text=_("when it was put off for this first")
    )
    lease_expires_at = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="job_status_known", condition=Q(status__in=[s.value for s in JobStatus])),
            models.CheckConstraint(name="job_priority_0_to_10", condition=Q(priority__lte=10)),
            models.CheckConstraint(
                name="job_lease_while_processing",
                condition=Q(status=JobStatus.PROCESSING.value, lease_expires_at__isnull=False)
                | (~Q(status=JobStatus.PROCESSING.value) & Q(lease_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_finished_at_when_finished",
                condition=Q(status__in=_FINISHED, finished_at__isnull=False)
                | (~Q(status__in=_FINISHED) & Q(finished_at__isnull=True)),
            ),
            models.CheckConstraint(name="job_hold_known", condition=Q(hold__in=[hold.value for hold in Hold])),
            models.CheckConstraint(
                name="job_has_turn_in_line",
                condition=Q(turn__isnull=False) | Q(hold=Hold.LATER.value) | ~Q(status__in=_WAITING),
            ),
            models.CheckConstraint(
                name="job_released_only_while_waiting",
                condition=Q(status__in=_WAITING) | Q(released_at__isnull=True),
            ),
            models.UniqueConstraint(name="job_idempotency_key", fields=["owner", "idempotency_key"]),
        ]
        indexes = [
            # What the dispatcher asks: the best row of a queue's line (jobs.line).
            models.Index(
                name="job_backlog", fields=["queue", "hold", "-level", "turn", "created_at"], condition=_WAITS
            ),
            models.Index(
                name="job_taken",
                fields=["queue"],
                condition=Q(status=JobStatus.PROCESSING.value) | Q(released_at__isnull=False),
            ),
            # What limits ask (jobs.limits): who of a kind stands in line or is at work.
            models.Index(
                name="job_in_line",
                fields=["kind", "owner"],
                condition=Q(status=JobStatus.PROCESSING.value) | Q(status__in=_WAITING, hold=Hold.NONE.value),
            ),
            models.Index(name="job_later", fields=["run_at"], condition=_WAITS & Q(hold=Hold.LATER.value)),
            models.Index(
                name="job_held",
                fields=["kind", "-level", "turn", "created_at"],
                condition=_WAITS & Q(hold=Hold.LIMIT.value),
            ),
            models.Index(
                name="job_held_by_owner",
                fields=["kind", "owner", "-level", "turn", "created_at"],
                condition=_WAITS & Q(hold=Hold.LIMIT.value),
            ),
            # The last turn of an owner; what ended without having begun does not count.
            models.Index(
                name="job_turn",
                fields=["owner", "kind", "priority", "turn"],
                condition=Q(started_at__isnull=False) | Q(finished_at__isnull=True),
            ),
            models.Index(
                name="job_deadline",
                fields=["deadline_at"],
                condition=Q(status__in=_WAITING, deadline_at__isnull=False),
            ),
            # What the sweep asks: given to the broker and never picked up.
            models.Index(name="job_released", fields=["released_at"], condition=Q(released_at__isnull=False)),
            # What the rescue asks: whose lease ran out.
            models.Index(name="job_lease", fields=["lease_expires_at"], condition=Q(status=JobStatus.PROCESSING.value)),
            # What lists, events and the admin ask.
            models.Index(name="job_by_owner", fields=["owner", "-created_at", "-id"]),
            models.Index(name="job_by_owner_update", fields=["owner", "updated_at"]),
            models.Index(name="job_by_subject", fields=["subject", "-created_at"]),
            models.Index(name="job_by_status", fields=["status", "-created_at", "-id"]),
            models.Index(name="job_by_kind", fields=["kind", "-created_at", "-id"]),
            models.Index(name="job_by_age", fields=["-created_at", "-id"]),
            models.Index(name="job_by_error", fields=["error_code", "-created_at", "-id"], condition=~Q(error_code="")),
            models.Index(name="job_by_batch", fields=["batch", "status"], condition=Q(batch__isnull=False)),
            models.Index(name="job_by_end", fields=["finished_at"], condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def percent(self) -> int:
        """Progress from 0 to 100; a completed job is at 100."""
        if self.status == JobStatus.COMPLETED:
            return 100
        return min(100, self.current * 100 // self.total) if self.total > 0 else 0

    @property
    def state(self) -> str:
        """Celery's word for the status."""
        return celery_state(JobStatus(self.status), has_progress=self.total > 0 or bool(self.message))

    @property
    def error(self) -> dict[str, str] | None:
        """Code and sentence of what went wrong, or None."""
        return {"code": self.error_code, "message": self.error_message} if self.error_code else None

    @property
    def is_finished(self) -> bool:
        return JobStatus(self.status) in FINISHED


class FurtherKey(models.Model):
    """Another idempotency key that stands for a job: its owner asked for the same thing while the job was at it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="further_keys")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(name="further_key_of_owner", fields=["owner", "key"])]

    def __str__(self) -> str:
        return self.key


class Attempt(models.Model):
    """One try of one job: when, where, how it ended."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    worker = models.CharField(_("worker"), max_length=200)
    pid = models.PositiveIntegerField(_("process"), default=0)
    outcome = models.CharField(_("outcome"), max_length=12, choices=OUTCOMES, default=Outcome.RUNNING.value)
    due_at = models.DateTimeField(_("due"), help_text=_("from when on it waited for a worker"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    error_message = models.TextField(_("error"), blank=True, default="")
    traceback = models.TextField(_("traceback"), blank=True, default="")
    log_tail = models.TextField(_("last log lines"), blank=True, default="")

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["job", "number"]
        constraints = [
            models.UniqueConstraint(name="attempt_of_job", fields=["job", "number"]),
            models.CheckConstraint(
                name="attempt_ends_with_outcome",
                condition=Q(outcome=Outcome.RUNNING.value, ended_at__isnull=True)
                | (~Q(outcome=Outcome.RUNNING.value) & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Transition(models.Model):
    """One move of one job from one status to another: the record of J2, and what live events are made of."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="transitions")
    attempt = models.PositiveIntegerField(_("attempt"))
    before = models.CharField(_("from"), max_length=10, blank=True, help_text=_("empty: recorded"))
    after = models.CharField(_("to"), max_length=10)
    reason = models.CharField(_("why"), max_length=200, blank=True, default="")
    at = models.DateTimeField(_("when"))
    booked = models.BooleanField(default=False, help_text=_("whether jobs.journal has drawn its consequences"))
    aside_until = models.DateTimeField(
        _("set aside until"), null=True, blank=True, help_text=_("drawing its consequences failed; tried again then")
    )

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = ["id"]
        indexes = [models.Index(name="transition_to_book", fields=["id"], condition=Q(booked=False))]
        constraints = [
            models.CheckConstraint(
                name="transition_legal",
                condition=Q(before="", after=JobStatus.PENDING.value)
                | Q(
                    *(
                        Q(before=before.value, after__in=sorted(afters))
                        for before, afters in TRANSITIONS.items()
                        if afters
                    ),
                    _connector=Q.OR,
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.before or '·'} → {self.after}"


Instant = datetime | models.Expression
"""A point in time: read already, or the database's own clock (`django.db.models.functions.Now`)."""
