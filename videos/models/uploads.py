"""Uploads that are under way, and what has arrived of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Upload(models.Model):
    """One file on its way in. Its bytes are written where they belong in one file, as they come."""

    class Purpose(models.TextChoices):
        VIDEO = "video", _("video")
        STILL = "still", _("still")
        SOUND = "sound", _("sound")
        DRAFT = "draft", _("draft")
        SCRIPT = "script", _("script")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.CASCADE, related_name="uploads"
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices, default=Purpose.VIDEO.value)
    file_name = models.CharField(_("file name"), max_length=255, help_text=_("as the user calls it"))
    file_size = models.PositiveBigIntegerField(_("size in bytes"))
    file_hash = models.CharField(
        _("hash"), max_length=80, blank=True, default="", help_text=_("as declared: sha256:… or md5:…")
    )
    # At most one of each algorithm: two that differ can't both be right, and such an upload is refused.
    second_hash = models.CharField(
        _("second hash"), max_length=80, blank=True, default="", help_text=_("of the other algorithm, if declared too")
    )
    last_modified = models.BigIntegerField(_("last modified, in milliseconds"), null=True, blank=True)
    chunk_size = models.PositiveIntegerField(_("chunk size in bytes"))
    video = models.OneToOneField(
        "videos.Video",
        verbose_name=_("video"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="upload",
        help_text=_("what it became"),
    )
    medium = models.OneToOneField(
        "videos.Medium",
        verbose_name=_("still or sound"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="upload",
        help_text=_("what it became"),
    )
    draft = models.OneToOneField(
        "videos.Draft",
        verbose_name=_("draft"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="upload",
        help_text=_("what it became"),
    )
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    touched_at = models.DateTimeField(_("last byte"))
    merged_at = models.DateTimeField(_("merged"), null=True, blank=True, help_text=_("empty: it is unfinished"))

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="upload_not_empty", condition=Q(file_size__gt=0)),
            models.CheckConstraint(name="upload_chunk_size", condition=Q(chunk_size__gt=0)),
            models.CheckConstraint(
                name="upload_became_one_thing",
                condition=Q(merged_at=None, video=None, medium=None, draft=None)
                | Q(merged_at__isnull=False, video__isnull=False, medium=None, draft=None)
                | Q(merged_at__isnull=False, video=None, medium__isnull=False, draft=None)
                | Q(merged_at__isnull=False, video=None, medium=None, draft__isnull=False)
                # What was read, and whose bytes are not kept: who read it names the upload.
                | Q(merged_at__isnull=False, video=None, medium=None, draft=None, purpose="script"),
            ),
        ]
        indexes = [
            models.Index(name="upload_unfinished", fields=["touched_at"], condition=Q(merged_at=None)),
            models.Index(name="upload_by_hash", fields=["owner", "file_hash"]),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def chunks_total(self) -> int:
        return -(-self.file_size // self.chunk_size)

    @property
    def declared(self) -> list[str]:
        """The file's checksums as its uploader declared them."""
        return [text for text in (self.file_hash, self.second_hash) if text]

    def chunk_length(self, index: int) -> int:
        """How many bytes the chunk with this index has: all alike, the last one the rest."""
        return min(self.chunk_size, self.file_size - index * self.chunk_size)


class Chunk(models.Model):
    """That one chunk of an upload has arrived whole, and is on disk."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    index = models.PositiveIntegerField(_("index"))

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [models.UniqueConstraint(name="chunk_of_upload", fields=["upload", "index"])]

    def __str__(self) -> str:
        return str(self.index)
