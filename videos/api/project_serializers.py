"""Projects, materials and exports as the API takes and gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.options import JobOptionsSerializer
from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer
from videos import errors, orders
from videos.models import Export, Material, Medium, Project, Video, VideoStatus
from videos.projects import MOST_MATERIALS
from videos.timeline.film import Format
from videos.timeline.formats import Subtitles
from videos.timeline.model import Fit

_KINDS = {"video", "still", "sound"}
_NAME_LENGTH = 255
_BIGGEST_INTEGER = 2**63 - 1


class ProjectUrls(TypedDict):
    """Where to look and act."""

    self: str
    restore: str
    materials: str
    timeline: str
    exports: str


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """One project."""

    name = serializers.CharField(max_length=_NAME_LENGTH)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = ["id", "name", "version", "created_at", "updated_at", "deleted_at", "urls"]
        read_only_fields = [name for name in fields if name != "name"]

    @extend_schema_field(cast(Any, ProjectUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, project: Project) -> ProjectUrls:
        return {
            "self": reverse("project", args=[project.pk]),
            "restore": reverse("project-restore", args=[project.pk]),
            "materials": reverse("project-materials", args=[project.pk]),
            "timeline": reverse("project-timeline", args=[project.pk]),
            "exports": reverse("project-exports", args=[project.pk]),
        }


class MaterialVideoSerializer(serializers.ModelSerializer[Video]):
    """What a material shows."""

    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    poster_url = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Video
        fields = ["id", "title", "status", "duration", "width", "height", "poster_url", "deleted_at"]
        read_only_fields = fields


class MaterialStillSerializer(serializers.ModelSerializer[Medium]):
    """What a material shows."""

    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    thumbnail_url = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Medium
        fields = ["id", "title", "status", "width", "height", "thumbnail_url", "deleted_at"]
        read_only_fields = fields


class MaterialSoundSerializer(serializers.ModelSerializer[Medium]):
    """What is heard of a material."""

    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)

    class Meta:
        model = Medium
        fields = ["id", "title", "status", "duration", "deleted_at"]
        read_only_fields = fields


class MaterialSerializer(serializers.ModelSerializer[Material]):
    """One material of a project: of `video`, `still` and `sound` the one that its kind says is there."""

    kind = serializers.CharField(
        read_only=True, allow_null=True, help_text="video, still or sound; null: it was deleted for good"
    )
    video = MaterialVideoSerializer(read_only=True, allow_null=True)
    still = MaterialStillSerializer(read_only=True, allow_null=True)
    sound = MaterialSoundSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Material
        fields = ["id", "name", "place", "kind", "video", "still", "sound"]
        read_only_fields = fields


class ShownSerializer(serializers.Serializer[None]):
    """What a material is to be: the id of one thing of yours."""

    video = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_INTEGER)
    still = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_INTEGER)
    sound = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_INTEGER)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At most one."""
        if len(attrs.keys() & _KINDS) > 1:
            raise serializers.ValidationError("A material is one of video, still and sound.")
        return attrs


class NewMaterialSerializer(ShownSerializer):
    """A video, a still or a sound that is to be a material."""

    name = serializers.RegexField(
        r"^[\w.-]+$",
        max_length=100,
        required=False,
        default="",
        help_text="by which the timeline knows it: letters, digits, and . _ -; else its kind and id: still-3",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One."""
        if not attrs.keys() & _KINDS:
            raise serializers.ValidationError("Say which video, still or sound the material is to be, by its id.")
        return super().validate(attrs)


class MaterialChangeSerializer(ShownSerializer):
    """Another place for a material, or another thing that it is."""

    place = serializers.IntegerField(required=False, min_value=0, max_value=MOST_MATERIALS)


class OneOfField(serializers.ChoiceField):
    """One of a few words; who says another one is told which there are."""

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        choices = [str(word) for word in words]
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"One of these is needed: {', '.join(choices)}."


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}]})
class RateField(serializers.Field):
    """Frames a second: `25`, `29.97`, `"30000/1001"`. Its bounds are those of the order."""

    default_error_messages = {"invalid": "A number such as 25, 29.97 or 30000/1001 is needed."}

    def to_internal_value(self, data: Any) -> str | float:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class WatermarkSerializer(serializers.Serializer[None]):
    """A material that is seen over the whole film."""

    material = serializers.CharField(max_length=100, help_text="the name of one of the project's; a still, usually")
    corner = OneOfField(orders.Corner, required=False, help_text="otherwise bottom_right")
    width = serializers.FloatField(required=False, help_text="of the canvas's, above 0 to 1; otherwise 0.15")
    margin = serializers.FloatField(
        required=False, help_text="to the sides, as a part of the canvas's width, 0 to 0.5; otherwise 0.03"
    )
    opacity = serializers.FloatField(required=False, help_text="0 to 1; otherwise 0.8")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(map(str, set(data) - set(self.fields)))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(data)


class OrderSerializer(JobOptionsSerializer):
    """An export as it is asked for. `videos.orders` has the bounds."""

    format = OneOfField(Format, default=Format.MP4.value)
    quality = OneOfField(
        orders.Quality,
        default=orders.Quality.MEDIUM.value,
        help_text="low, medium, high: crf 28, 23, 18 of x264, with the presets fast, medium, slow; custom: your own",
    )
    crf = serializers.IntegerField(required=False, help_text="0 to 51, with the quality custom")
    preset = OneOfField(orders.Preset, required=False, help_text="with the quality custom")
    width = serializers.IntegerField(required=False, help_text="even, 16 to 4096; otherwise that of the canvas")
    height = serializers.IntegerField(required=False, help_text="even, 16 to 4096; otherwise that of the canvas")
    rate = RateField(required=False, help_text="frames a second, 1 to 120; otherwise that of the canvas")
    fit = OneOfField(Fit, required=False, help_text="of all clips; otherwise that of each")
    still_seconds = serializers.FloatField(
        required=False,
        help_text=f"for which each still is shown, of materials end to end: 0.1 to 3600, else {orders.STILL_SECONDS:g}",
    )
    loudness = serializers.BooleanField(
        required=False,
        help_text="bring the sound to -14 LUFS, with true peaks of at most -1 dBTP, as platforms play it",
    )
    source = OneOfField(  # type: ignore[assignment]  # DRF takes it out of the class
        orders.Origin,
        required=False,
        help_text="timeline, or materials: all of them end to end; otherwise the timeline, if there is anything in it",
    )
    subtitles = OneOfField(
        Subtitles,
        required=False,
        help_text="burn: drawn into the picture, otherwise; track: beside it, in mp4, mov and webm; none: left out",
    )
    watermark = WatermarkSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An order that can be carried out; a field that nobody knows is a slip that would cost an hour."""
        said = self.initial_data
        if isinstance(said, Mapping) and (unknown := sorted(map(str, set(said) - set(self.fields)))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        try:
            orders.read(order_of(attrs))
        except errors.ExportInvalid as error:
            raise serializers.ValidationError(error.details["problems"]) from error
        return attrs


def order_of(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of the export itself, for `videos.orders` and the job."""
    options = JobOptionsSerializer().fields
    return {name: value for name, value in attrs.items() if name not in options}


class ExportUrls(TypedDict):
    """Where to look and act."""

    self: str


class ExportSerializer(serializers.ModelSerializer[Export]):
    """One export."""

    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    error = serializers.SerializerMethodField()
    output_url = serializers.CharField(source="url", read_only=True, allow_null=True)
    file_size = serializers.IntegerField(source="size", read_only=True, allow_null=True)
    options = serializers.DictField(read_only=True)
    job = JobSerializer(read_only=True, allow_null=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Export
        list_serializer_class = WithJobsListSerializer
        fields = [
            "id",
            "format",
            "quality",
            "options",
            "source",
            "version",
            "status",
            "error",
            "output_url",
            "duration",
            "file_size",
            "copied",
            "reason",
            "job",
            "created_at",
            "urls",
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, export: Export) -> dict[str, str] | None:
        return export.job.error if export.job and export.status == VideoStatus.FAILED else None

    @extend_schema_field(cast(Any, ExportUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, export: Export) -> ExportUrls:
        return {"self": reverse("project-export", args=[export.project_id, export.pk])}
