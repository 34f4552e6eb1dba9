"""The API of one's own account: tier, quotas with what is used of them, and how one wants to be told."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import accounts, quotas
from jobs.models import Account, Period


class QuotaSerializer(serializers.Serializer[quotas.Usage]):
    """One quota, and how much of it is used up."""

    kind = serializers.CharField()
    period = serializers.ChoiceField(choices=[period.value for period in Period])
    limit = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    used = serializers.IntegerField(help_text="submitted in this period, without what failed or was cancelled")
    remaining = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField()


class AccountSerializer(serializers.ModelSerializer[Account]):
    """An account as its owner sees it."""

    user = serializers.CharField(source="user.username", read_only=True)
    webhook_url = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text="called when a job ends; empty: not"
    )
    webhook_secret = serializers.CharField(read_only=True, help_text="made when the first URL is set")
    quotas = serializers.SerializerMethodField()

    class Meta:
        model = Account
        fields = ["user", "tier", "notify_by_email", "webhook_url", "webhook_secret", "quotas"]
        read_only_fields = ["tier"]

    @extend_schema_field(QuotaSerializer(many=True))
    def get_quotas(self, account: Account) -> list[dict[str, Any]]:
        used = quotas.usage(account.user_id, timezone.now(), tier=account.tier)
        return [QuotaSerializer(one).data for one in used]


def _user(request: Request) -> User:
    return cast(User, request.user)


def _answer(request: Request, account: Account) -> Response:
    account.user = _user(request)
    return Response(AccountSerializer(account).data)


class AccountView(APIView):
    """Your account: tier, quotas, notifications. The tier is given by the operator."""

    @extend_schema(operation_id="account_retrieve", responses=AccountSerializer)
    def get(self, request: Request) -> Response:
        return _answer(request, accounts.of(_user(request).pk))

    @extend_schema(operation_id="account_change", request=AccountSerializer, responses=AccountSerializer)
    def patch(self, request: Request) -> Response:
        asked = AccountSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        return _answer(request, accounts.change(_user(request).pk, **asked.validated_data))


class WebhookSecret(APIView):
    """Replace the secret that your webhooks are signed with."""

    @extend_schema(operation_id="account_webhook_secret", request=None, responses=AccountSerializer)
    def post(self, request: Request) -> Response:
        return _answer(request, accounts.renew_webhook_secret(_user(request).pk))
