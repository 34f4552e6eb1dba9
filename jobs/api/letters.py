"""The API of deliveries: what a user was told, how that went, and once more."""

from __future__ import annotations

import uuid
from typing import ClassVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import deliveries
from jobs.api.pagination import NewestFirst
from jobs.models import Delivery


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One message to one place. Its `id` is the `webhook-id`."""

    class Meta:
        model = Delivery
        fields = [
            "id",
            "event",
            "channel",
            "target",
            "payload",
            "job",
            "batch",
            "status",
            "tries",
            "answer",
            "created_at",
            "tried_at",
            "delivered_at",
        ]
        read_only_fields = fields


def deliveries_of(request: Request) -> QuerySet[Delivery]:
    """The deliveries that a request may see."""
    return Delivery.objects.filter(user_id=cast(User, request.user).pk)


class Deliveries(ListAPIView[Delivery]):
    """What you were told, by webhook and e-mail, newest first; with what came back."""

    serializer_class = DeliverySerializer
    pagination_class = NewestFirst
    filterset_fields: ClassVar = ["status", "channel", "event"]
    queryset = Delivery.objects.none()  # for the schema; the rows come from get_queryset

    def get_queryset(self) -> QuerySet[Delivery]:
        return deliveries_of(self.request)


class Redeliver(GenericAPIView[Delivery]):
    """Have it told again, under the same id; refused while it is under way."""

    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()

    @extend_schema(operation_id="account_deliveries_redeliver", request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, delivery_id: uuid.UUID) -> Response:
        delivery = get_object_or_404(deliveries_of(request), pk=delivery_id)
        deliveries.redeliver(delivery)
        delivery.refresh_from_db()
        return Response(self.get_serializer(delivery).data, status=202)
