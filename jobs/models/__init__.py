"""The tables of the job engine."""

from jobs.models.accounts import Account, Period, QuotaLimit, QuotaUse
from jobs.models.batches import Batch, FailurePolicy
from jobs.models.jobs import JOB_STATUSES, Attempt, FurtherKey, Hold, Instant, Job, Transition
from jobs.models.letters import Channel, DeadLetter, Delivery, DeliveryStatus, Resolution
from jobs.models.tallies import Tally
from jobs.models.workers import InstalledSchedule, KindLimit, Queue, Tick, Worker

__all__ = [
    "JOB_STATUSES",
    "Account",
    "Attempt",
    "Batch",
    "Channel",
    "DeadLetter",
    "Delivery",
    "DeliveryStatus",
    "FailurePolicy",
    "FurtherKey",
    "Hold",
    "InstalledSchedule",
    "Instant",
    "Job",
    "KindLimit",
    "Period",
    "Queue",
    "QuotaLimit",
    "QuotaUse",
    "Resolution",
    "Tally",
    "Tick",
    "Transition",
    "Worker",
]
