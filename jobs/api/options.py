"""What may be said along with a request for work: whom to call when it has ended, and how urgent it is."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework import serializers
from rest_framework.request import Request

from jobs import accounts, outbound
from jobs.errors import JointoError, Remedy


class PriorityTooHigh(JointoError):
    """More urgent than the user's tier is; staff may ask for anything."""

    code = "priority_too_high"
    status = 403
    remedy = Remedy.NONE
    message = "Your tier does not reach this priority. Leave it out, or ask for a lower one."


class CallbackURLField(serializers.URLField):
    """An address that is called when the job has ended; none of our own network."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Called with a signed webhook when the job has ended.")
        super().__init__(required=False, allow_blank=True, default="", max_length=2000, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        url = str(super().to_internal_value(data))
        if url:
            outbound.check(url, allow=settings.JOINTO_JOBS.inner_hosts)
        return url


class JobOptionsSerializer(serializers.Serializer[None]):
    """Options of a job."""

    callback_url = CallbackURLField()
    priority = serializers.IntegerField(
        required=False, min_value=0, max_value=10, help_text="10 is first. At most that of your tier; staff: any."
    )


def options_of(request: Request) -> dict[str, Any]:
    """The options in the body of a request, for `submit`. Raises PriorityTooHigh, and what URLs are refused with."""
    said = JobOptionsSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    options = dict(said.validated_data)
    user = cast(User, request.user)
    priority = options.get("priority")
    if priority is not None and not user.is_staff and priority > accounts.priority_of(accounts.tier_of(user.pk)):
        raise PriorityTooHigh
    return options
