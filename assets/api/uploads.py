"""The merge of uploaded scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from assets import uploaded
from assets.api.episode_serializers import EpisodeSerializer, NumberField
from jobs.api.serializers import JobSerializer
from videos.api import merging
from videos.api.merging import Merge, Said
from videos.api.serializers import MergeSerializer
from videos.models import Project, Upload


class MergeScriptSerializer(MergeSerializer):
    """That all chunks of a script have been sent, and where it belongs."""

    project = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="the id of one of yours")
    number = NumberField(help_text="it is one episode, with this number; otherwise all that it holds")
    title = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="it is one episode, with this title"
    )


class ScriptEpisodesSerializer(serializers.Serializer[None]):
    """What a script became."""

    episodes = EpisodeSerializer(many=True)


class MergedScriptSerializer(serializers.Serializer[None]):
    """The episodes that an upload became."""

    detail = serializers.CharField()
    script = ScriptEpisodesSerializer()
    job = JobSerializer(allow_null=True, help_text="null: nothing is left to be done")


def _script(request: Request, upload: Upload, said: Said) -> Mapping[str, Any]:
    asked = MergeScriptSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    wish = asked.validated_data
    project = Project.objects.filter(pk=wish["project"], owner_id=upload.owner_id, deleted_at=None).first()
    if project is None:
        raise ValidationError({"project": "You have no project with this id."})
    made = uploaded.take(
        *(upload, project.pk),
        name=said.name,
        number=wish.get("number"),
        title=wish.get("title"),
        hashes=said.hashes,
    )
    return {"script": {"episodes": made}, "job": None}


merging.add(
    Upload.Purpose.SCRIPT,
    Merge(asked=MergeScriptSerializer, told=MergedScriptSerializer, make=_script, detail="The episodes are there."),
)
