"""The operator's pages."""

from jobs.admin import accounts, batches, jobs, letters, schedule, workers
from jobs.admin.base import BoundedPaginator, ReadOnly

__all__ = ["BoundedPaginator", "ReadOnly", "accounts", "batches", "jobs", "letters", "schedule", "workers"]
