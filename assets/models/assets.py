"""What a film is made of: its characters, props and scenes, and where they appear."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from assets.models.episodes import Episode
from videos.models import Medium, Project


class Kind(models.TextChoices):
    """What an asset is."""

    CHARACTER = "character", _("character")
    PROP = "prop", _("prop")
    SCENE = "scene", _("scene")


class Place(models.TextChoices):
    """Where a scene plays."""

    INSIDE = "inside", _("inside")
    OUTSIDE = "outside", _("outside")
    BOTH = "both", _("inside and outside")


class Asset(models.Model):
    """One character, prop or scene of a project.

    `normal` is its name as scripts have it (`assets.names`), and stays when people rename it: whoever is found under it
    is the same asset, also one that was merged into another, or deleted. So what people did outlives extractions.
    """

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="assets", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=200)
    normal = models.CharField(
        _("normalised name"), max_length=255, editable=False, help_text=_("as scripts have it; never changes")
    )
    aliases = models.JSONField(_("other names"), default=list, blank=True, help_text=_("a list"))
    description = models.TextField(_("description"), blank=True)
    gender = models.CharField(_("gender"), max_length=40, blank=True)
    age = models.CharField(_("age"), max_length=40, blank=True)
    voice = models.CharField(_("voice"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=40, blank=True)
    time = models.CharField(_("time of day"), max_length=40, blank=True, help_text=_("of a scene"))
    place = models.CharField(
        _("inside or outside"), max_length=10, choices=Place.choices, blank=True, help_text=_("of a scene")
    )
    picture = models.ForeignKey(
        Medium, verbose_name=_("picture"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="absorbed",
        help_text=_("always one that is not merged into another itself"),
    )
    edited_at = models.DateTimeField(
        _("edited"), null=True, blank=True, help_text=_("by a person; extractions leave it as it is then")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="asset_normal", fields=["project", "kind", "normal"]),
            models.CheckConstraint(name="asset_has_name", condition=~Q(name="") & ~Q(normal="")),
            models.CheckConstraint(name="asset_not_merged_into_itself", condition=~Q(merged_into=F("id"))),
            models.CheckConstraint(
                name="asset_place_and_time_of_scenes", condition=Q(kind=Kind.SCENE.value) | Q(time="", place="")
            ),
        ]
        indexes = [
            models.Index(name="asset_by_project", fields=["project", "-created_at", "-id"]),
            models.Index(
                name="asset_there",
                fields=["project", "kind", "-created_at", "-id"],
                condition=Q(merged_into__isnull=True, deleted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Appearance(models.Model):
    """A place where an asset appears.

    `found_as` is the asset of the name that stands in the script, and never changes; `asset` is whose appearance it is
    since that one was merged. So a merge moves appearances and can be undone, whatever was extracted meanwhile.
    """

    asset = models.ForeignKey(
        Asset, verbose_name=_("asset"), on_delete=models.CASCADE, related_name="appearances", db_index=False
    )
    found_as = models.ForeignKey(Asset, verbose_name=_("found as"), on_delete=models.CASCADE, related_name="findings")
    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), on_delete=models.CASCADE, related_name="appearances", db_index=False
    )
    scene_index = models.PositiveIntegerField(
        _("scene"), null=True, blank=True, help_text=_("counted from 0; empty: in none")
    )
    scene_number = models.CharField(_("number of the scene"), max_length=40, blank=True)
    scene_heading = models.CharField(_("heading of the scene"), max_length=255, blank=True)
    first_line = models.PositiveIntegerField(_("first line"), null=True, blank=True, help_text=_("counted from 1"))
    lines = models.PositiveIntegerField(_("lines spoken"), default=0)

    class Meta:
        verbose_name = _("appearance")
        verbose_name_plural = _("appearances")
        ordering = ["episode__number", F("first_line").asc(nulls_last=True), "id"]
        constraints = [
            models.UniqueConstraint(name="appearance_in_scene", fields=["episode", "found_as", "scene_index"]),
            models.UniqueConstraint(
                name="appearance_in_no_scene", fields=["episode", "found_as"], condition=Q(scene_index__isnull=True)
            ),
        ]
        indexes = [models.Index(name="appearance_of_asset", fields=["asset", "episode"])]

    def __str__(self) -> str:
        return f"{self.episode_id}: {self.scene_heading or self.scene_index}"
