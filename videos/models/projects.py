"""Projects: the materials of a cut, its timeline in all its versions, and what was exported of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from videos.models.media import Medium
from videos.models.videos import Video, VideoStatus, status_of
from videos.orders import FORMATS, ORIGINS, QUALITIES, Origin


class Project(models.Model):
    """One cut of one user."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.CASCADE, related_name="projects"
    )
    name = models.CharField(_("name"), max_length=255)
    version = models.PositiveIntegerField(
        _("version"), default=0, help_text=_("the number of the timeline that is the current one; 0: the empty one")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["-created_at", "-id"]
        constraints = [models.CheckConstraint(name="project_has_name", condition=~Q(name=""))]
        indexes = [
            models.Index(name="project_by_owner", fields=["owner", "-created_at", "-id"]),
            models.Index(name="project_deleted", fields=["deleted_at"], condition=Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class Material(models.Model):
    """One video, still or sound that a project uses. Its name is the word by which a timeline speaks of it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="materials", db_index=False)
    video = models.ForeignKey(
        Video,
        verbose_name=_("video"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="materials",
        help_text=_("empty: it was deleted for good"),
    )
    medium = models.ForeignKey(
        Medium,
        verbose_name=_("still or sound"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="materials",
        help_text=_("empty: it was deleted for good"),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("by which the timeline knows it"))
    place = models.PositiveIntegerField(_("place"), help_text=_("in the order of the materials, from 0"))

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        ordering = ["place", "id"]
        constraints = [
            models.UniqueConstraint(name="material_of_project", fields=["project", "name"]),
            models.CheckConstraint(name="material_has_name", condition=~Q(name="")),
            models.CheckConstraint(name="material_is_one_thing", condition=Q(video=None) | Q(medium=None)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown(self) -> Video | Medium | None:
        """What it is; None: that was deleted for good."""
        return self.video or self.medium

    @property
    def kind(self) -> str | None:
        """`video`, `still` or `sound`; None: it was deleted for good."""
        return self.medium.kind if self.medium else ("video" if self.video_id else None)

    @property
    def still(self) -> Medium | None:
        return self.medium if self.kind == Medium.Kind.STILL else None

    @property
    def sound(self) -> Medium | None:
        return self.medium if self.kind == Medium.Kind.SOUND else None


class TimelineVersion(models.Model):
    """A project's timeline as it once was saved; it never changes."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    before = models.PositiveIntegerField(
        _("made from"), help_text=_("the number of the version that was edited; 0: the empty one")
    )
    document = models.JSONField(_("document"))
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)

    class Meta:
        verbose_name = _("timeline version")
        verbose_name_plural = _("timeline versions")
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(name="timeline_version", fields=["project", "number"]),
            models.CheckConstraint(name="timeline_version_after", condition=Q(number__gt=F("before"))),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Export(models.Model):
    """One film made of a project: what was asked for and of what, and the file once it is there.

    What state it is in follows from its file and its job.
    """

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="exports", db_index=False
    )
    job = models.OneToOneField(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    format = models.CharField(_("format"), max_length=10, choices=FORMATS)
    quality = models.CharField(_("quality"), max_length=10, choices=QUALITIES)
    options = models.JSONField(_("options"), default=dict, blank=True, help_text=_("what else was asked for"))
    source = models.CharField(_("made of"), max_length=10, choices=ORIGINS)
    version = models.PositiveIntegerField(_("version"), help_text=_("of the timeline; 0: made of the materials"))
    timeline = models.JSONField(_("timeline"), null=True, blank=True, help_text=_("as it was when it was asked for"))
    materials = models.JSONField(_("materials"), help_text=_("name of each, and what it is, in their order"))

    file = models.CharField(_("file"), max_length=200, blank=True, help_text=_("below the media root; empty: none yet"))
    duration = models.FloatField(_("duration in seconds"), null=True, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), null=True, blank=True)
    copied = models.BooleanField(_("copied"), null=True, blank=True, help_text=_("not one frame was encoded again"))
    reason = models.TextField(_("reason"), blank=True, help_text=_("why it was copied, or why it was encoded"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="export_file_is_measured",
                condition=Q(file="", duration=None, size=None, copied=None)
                | (~Q(file="") & Q(duration__isnull=False, size__isnull=False, copied__isnull=False)),
            ),
            models.CheckConstraint(
                name="export_source",
                condition=Q(source=Origin.TIMELINE.value, version__gt=0, timeline__isnull=False)
                | Q(source=Origin.MATERIALS.value, version=0, timeline__isnull=True),
            ),
            models.UniqueConstraint(name="export_file", fields=["file"], condition=~Q(file="")),
        ]
        indexes = [models.Index(name="export_of_project", fields=["project", "-created_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.project} ({self.format}, {self.quality})"

    @property
    def status(self) -> VideoStatus:
        """Ready once it can be downloaded; else what its job is at."""
        return status_of(self.job, published=bool(self.file))

    @property
    def url(self) -> str | None:
        """Where it is downloaded."""
        return f"{settings.MEDIA_URL}{self.file}" if self.file else None
