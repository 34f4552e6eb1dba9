"""Uploads and videos as the API takes and gives them."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.options import CallbackURLField
from jobs.api.serializers import JobErrorSerializer, JobSerializer, WithJobsListSerializer
from videos.models import Rendition, Upload, Video, VideoStatus
from videos.uploads import digests, sessions, tokens

NAME_LENGTH = 255
_BIGGEST_INTEGER = 2**63 - 1


class FileNameField(serializers.CharField):
    """What the user calls the file: any text of one line. It never becomes part of a path."""

    default_error_messages = {"separator": "must be a name, without slashes or control characters."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=NAME_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if "/" in name or "\\" in name or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
            self.fail("separator")
        return name


class FileHashField(serializers.CharField):
    """`sha256:…` or `md5:…`, in hex."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=80, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return digests.normalise(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class BeginUploadSerializer(serializers.Serializer[None]):
    """What a client wants to upload."""

    file_name = FileNameField()
    file_size = serializers.IntegerField(min_value=1, max_value=_BIGGEST_INTEGER)
    purpose = serializers.ChoiceField(choices=Upload.Purpose.choices, default=Upload.Purpose.VIDEO.value)
    file_hash = FileHashField(required=False, default="")
    last_modified = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=-_BIGGEST_INTEGER, max_value=_BIGGEST_INTEGER
    )


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An upload: what is there of it, and what to send."""

    token = serializers.SerializerMethodField(help_text="for the header Upload-Token of its chunks")
    chunks_total = serializers.IntegerField(read_only=True)
    received = serializers.SerializerMethodField(help_text="ranges of chunks that are there: [[first, last], …]")
    video: serializers.PrimaryKeyRelatedField = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="what it became, once it was merged"
    )
    still = serializers.SerializerMethodField(help_text="the same, if it was to be one")
    sound = serializers.SerializerMethodField(help_text="the same, if it was to be one")
    draft: serializers.PrimaryKeyRelatedField = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="the same, if it was to be one"
    )
    expires_at = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = [
            "id",
            "token",
            "purpose",
            "file_name",
            "file_size",
            "chunk_size",
            "chunks_total",
            "received",
            "video",
            "still",
            "sound",
            "draft",
            "expires_at",
        ]
        read_only_fields = fields

    def get_token(self, upload: Upload) -> str:
        return tokens.give(upload)

    @extend_schema_field(serializers.ListField(child=serializers.ListField(child=serializers.IntegerField())))
    def get_received(self, upload: Upload) -> list[tuple[int, int]]:
        return sessions.received(upload)

    def get_still(self, upload: Upload) -> int | None:
        return upload.medium_id if upload.purpose == Upload.Purpose.STILL else None

    def get_sound(self, upload: Upload) -> int | None:
        return upload.medium_id if upload.purpose == Upload.Purpose.SOUND else None

    @extend_schema_field(serializers.DateTimeField())
    def get_expires_at(self, upload: Upload) -> str:
        return (upload.touched_at + settings.JOINTO_VIDEOS.keep_uploads).isoformat()


class MergeSerializer(serializers.Serializer[None]):
    """That all chunks have been sent."""

    upload_id = serializers.UUIDField(required=False)
    file_name = FileNameField(required=False)
    chunks_total = serializers.IntegerField(required=False, min_value=1, max_value=_BIGGEST_INTEGER)
    file_hash = FileHashField(required=False, default="")
    file_md5 = serializers.RegexField(r"^[0-9a-fA-F]{32}$", required=False)
    callback_url = CallbackURLField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        md5 = attrs.pop("file_md5", None)
        said = (attrs.pop("file_hash"), f"md5:{md5.lower()}" if md5 else "")
        attrs["hashes"] = [text for text in said if text]
        if "upload_id" not in attrs and not attrs["hashes"]:
            raise serializers.ValidationError("Name the upload by upload_id, or by its file_hash or file_md5.")
        return cast(dict[str, Any], super().validate(attrs))


class RenditionSerializer(serializers.ModelSerializer[Rendition]):
    """One rung."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Rendition
        fields = ["name", "width", "height", "url", "bytes", "bandwidth", "codecs"]
        read_only_fields = fields

    def get_url(self, rendition: Rendition) -> str | None:
        return rendition.video.url_of(rendition.file)


class VideoUrls(TypedDict):
    """Where to look and act."""

    self: str
    process: str
    restore: str


class VideoSerializer(serializers.ModelSerializer[Video]):
    """One video."""

    title = serializers.CharField(max_length=NAME_LENGTH)
    status = serializers.ChoiceField(choices=VideoStatus.choices, read_only=True)
    error = serializers.SerializerMethodField()
    has_source = serializers.BooleanField(
        source="source", read_only=True, help_text="whether the uploaded file is there, to be processed again"
    )
    playlist_url = serializers.CharField(read_only=True, allow_null=True)
    poster_url = serializers.CharField(read_only=True, allow_null=True)
    renditions = RenditionSerializer(many=True, read_only=True)
    job = JobSerializer(read_only=True, allow_null=True)
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Video
        list_serializer_class = WithJobsListSerializer
        fields = [
            "id",
            "title",
            "status",
            "error",
            "duration",
            "width",
            "height",
            "source_size",
            "has_source",
            "sha256",
            "playlist_url",
            "poster_url",
            "renditions",
            "job",
            "created_at",
            "updated_at",
            "deleted_at",
            "urls",
        ]
        read_only_fields = [name for name in fields if name != "title"]

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, video: Video) -> dict[str, str] | None:
        return video.job.error if video.job and video.status == VideoStatus.FAILED else None

    @extend_schema_field(cast(Any, VideoUrls))  # a TypedDict is fine; the stubs do not know
    def get_urls(self, video: Video) -> VideoUrls:
        return {
            "self": reverse("video", args=[video.pk]),
            "process": reverse("video-process", args=[video.pk]),
            "restore": reverse("video-restore", args=[video.pk]),
        }


class InstantSerializer(serializers.Serializer[None]):
    """The file is there already."""

    instant = serializers.BooleanField()
    video = VideoSerializer()


class MergedSerializer(serializers.Serializer[None]):
    """The video that an upload became, and the job that works for it."""

    detail = serializers.CharField()
    video = VideoSerializer()
    job = JobSerializer(allow_null=True)
