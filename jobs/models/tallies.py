"""Numbers that are kept as jobs move, so that nobody counts the table of jobs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """One number: so many of a measure, of a kind in a queue, in an hour, in a bucket.

    - ``status``: how many jobs are in the status `bucket` now; `hour` is the epoch.
    - ``ended``: how many attempts or jobs ended as `bucket` in that hour.
    - ``waited``, ``ran``: histograms; `bucket` numbers a range of durations (jobs.statistics).
    - ``waited_ms``, ``ran_ms``: sums of durations in that hour.
    """

    measure = models.CharField(_("measure"), max_length=12)
    kind = models.CharField(_("kind"), max_length=200)
    queue = models.CharField(_("queue"), max_length=50)
    hour = models.DateTimeField(_("hour"))
    bucket = models.CharField(_("bucket"), max_length=12, blank=True, default="")
    n = models.BigIntegerField(_("number"), default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(name="tally_once", fields=["measure", "hour", "kind", "queue", "bucket"])
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.kind} {self.bucket}: {self.n}"
