"""Accounts: tiers, what they are worth, and what their owners and the operator see and change."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from jobs import accounts, quotas
from jobs.api.accounts import AccountView, WebhookSecret
from jobs.models import Account, QuotaLimit, QuotaUse
from jobs.priority import HIGH, LOW, NORMAL
from jobs.quotas import Allowance, Quota
from tests.builders import make_user
from tests.kinds import add

urlpatterns = [
    path("api/account/", AccountView.as_view(), name="account"),
    path("api/account/webhook-secret/", WebhookSecret.as_view(), name="account-webhook-secret"),
    path("admin/", admin.site.urls),
    path("", include("jointo.urls")),
]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

KIND = add.name
HOOK = "https://93.184.216.34/hook"
ACCOUNT = "/api/account/"
EVIL = "<script>alert('x')</script>"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def _limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind `add` has a quota."""
    monkeypatch.setattr(add, "quota", Quota(free=Allowance(monthly=3)))


def use(user: User, count: int) -> None:
    with transaction.atomic():
        quotas.reserve(owner_id=user.pk, kind=KIND, quota=add.quota, tier="free", now=timezone.now(), count=count)


def patch(api: APIClient, **fields: Any) -> Any:
    return api.patch(ACCOUNT, fields)


def shown(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, (address, query)
    return answer.content.decode()


# -- tiers -----------------------------------------------------------------------------------------------


def test_a_user_without_an_account_is_on_the_free_tier(ann: User) -> None:
    with CaptureQueriesContext(connection) as told:
        assert accounts.tier_of(ann.pk) == "free"
    assert len(told) == 1
    Account.objects.create(user=ann, tier="pro")
    assert accounts.tier_of(ann.pk) == "pro"


def test_the_tier_decides_the_priority_and_an_unknown_one_counts_as_normal() -> None:
    tiers = ("free", "pro", "enterprise", "platinum", "")
    assert [accounts.priority_of(tier) for tier in tiers] == [LOW, NORMAL, HIGH, NORMAL, NORMAL]


# -- the API ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_limited")
def test_an_account_is_there_for_everybody_with_what_is_used_of_each_quota(api: APIClient, ann: User) -> None:
    use(ann, 2)
    said = api.get(ACCOUNT).json()
    mine = [quota for quota in said.pop("quotas") if (quota["kind"], quota["period"]) == (KIND, "month")]
    assert said == {"user": "ann", "tier": "free", "notify_by_email": False, "webhook_url": "", "webhook_secret": ""}
    assert [(quota["period"], quota["limit"], quota["used"], quota["remaining"]) for quota in mine] == [
        ("month", 3, 2, 1),
    ]
    assert all(quota["resets_at"].endswith("Z") for quota in mine)
    assert not Account.objects.exists()


def test_an_account_is_nobody_elses_and_needs_a_sign_in(ann: User) -> None:
    for method in ("get", "patch"):
        assert getattr(APIClient(), method)(ACCOUNT).status_code == 401
    assert APIClient().post(f"{ACCOUNT}webhook-secret/").status_code == 401


def test_the_first_webhook_url_brings_a_secret_that_stays_when_the_url_changes(api: APIClient) -> None:
    first = patch(api, webhook_url=HOOK).json()
    assert first["webhook_secret"].startswith("whsec_")
    assert (first["webhook_url"], first["notify_by_email"]) == (HOOK, False)
    assert patch(api, webhook_url=f"{HOOK}/2").json()["webhook_secret"] == first["webhook_secret"]
    ended = patch(api, webhook_url="").json()
    assert (ended["webhook_url"], ended["webhook_secret"]) == ("", first["webhook_secret"])


def test_what_is_not_named_stays_as_it_is(api: APIClient) -> None:
    patch(api, webhook_url=HOOK)
    said = patch(api, notify_by_email=True).json()
    assert (said["notify_by_email"], said["webhook_url"]) == (True, HOOK)
    assert patch(api).json() == said == api.get(ACCOUNT).json()


def test_a_new_secret_takes_the_place_of_the_old_one(api: APIClient) -> None:
    old = patch(api, webhook_url=HOOK).json()["webhook_secret"]
    new = api.post(f"{ACCOUNT}webhook-secret/").json()["webhook_secret"]
    assert new.startswith("whsec_")
    assert new != old
    assert api.get(ACCOUNT).json()["webhook_secret"] == new


def test_nobody_gives_themselves_a_tier_or_a_secret(api: APIClient, ann: User) -> None:
    said = patch(api, tier="enterprise", webhook_secret="whsec_x", user="root").json()
    assert (said["tier"], said["webhook_secret"], said["user"]) == ("free", "", "ann")
    assert accounts.tier_of(ann.pk) == "free"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://127.0.0.1/", 422),
        ("http://169.254.169.254/latest/meta-data/", 422),
        ("http://[::1]/", 422),
        ("http://10.0.0.1/", 422),
        ("ftp://example.com/", 422),
        ("nonsense", 422),
        ("https://93.184.216.34/" + "x" * 2000, 400),
        (None, 400),
        (["x"], 400),
    ],
    ids=["loopback", "metadata", "loopback6", "private", "ftp", "nonsense", "long", "null", "list"],
)
def test_a_webhook_url_that_may_not_be_called_is_refused_and_changes_nothing(
    api: APIClient, url: Any, status: int
) -> None:
    answer = patch(api, webhook_url=url, notify_by_email=True)
    assert answer.status_code == status, answer.content
    assert set(answer.json()["error"]) == {"code", "message", "details"}
    assert not Account.objects.exists()


# -- the operator ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_limited")
def test_an_operator_finds_an_account_sees_what_is_used_and_changes_the_tier(root: Client, ann: User) -> None:
    Account.objects.create(user=ann, webhook_secret="whsec_hidden", webhook_url=HOOK)
    use(ann, 2)
    listed = reverse("admin:jobs_account_changelist")
    page = reverse("admin:jobs_account_change", args=[ann.pk])
    assert page in shown(root, listed, q="an")
    assert page not in shown(root, listed, q="ben")
    assert page in shown(root, listed, tier="free")
    assert page not in shown(root, listed, tier="pro")
    text = shown(root, page)
    assert f"<td>{KIND}</td><td>month</td><td>2</td><td>3</td>" in text
    assert "whsec_hidden" not in text
    answer = root.post(page, {"tier": "pro", "user": "1", "webhook_url": "http://127.0.0.1/"})
    assert answer.status_code == 302
    account = Account.objects.get()
    assert (account.tier, account.user, account.webhook_url) == ("pro", ann, HOOK)


def test_an_operator_makes_the_account_of_a_user_who_has_none(root: Client, ann: User) -> None:
    page = reverse("admin:jobs_account_add")
    shown(root, page)
    assert root.post(page, {"user": str(ann.pk), "tier": "enterprise"}).status_code == 302
    assert accounts.tier_of(ann.pk) == "enterprise"


def test_an_operator_sets_a_limit_on_a_kind_that_there_is(root: Client, ann: User) -> None:
    page = reverse("admin:jobs_quotalimit_add")
    assert f'<option value="{KIND}">' in shown(root, page)
    fields = {"tier": "free", "kind": KIND, "period": "hour", "limit": "0"}
    assert root.post(page, fields | {"kind": "misspelt"}).status_code == 200
    assert not QuotaLimit.objects.exists()
    assert root.post(page, fields).status_code == 302
    with pytest.raises(quotas.QuotaExceeded):
        use(ann, 1)
    assert KIND in shown(root, reverse("admin:jobs_quotalimit_changelist"), tier="free", period="hour")


def test_a_limit_on_a_kind_that_is_gone_can_still_be_changed(root: Client) -> None:
    limit = QuotaLimit.objects.create(tier="free", kind="gone", period="hour", limit=1)
    page = reverse("admin:jobs_quotalimit_change", args=[limit.pk])
    assert root.post(page, {"tier": "free", "kind": "gone", "period": "hour", "limit": ""}).status_code == 302
    assert QuotaLimit.objects.get().limit is None


@pytest.mark.usefixtures("_limited")
def test_what_is_used_is_only_read_and_its_list_costs_the_same_however_long_it_is(root: Client, ann: User) -> None:
    listed = reverse("admin:jobs_quotause_changelist")

    def cost() -> int:
        with CaptureQueriesContext(connection) as told:
            assert KIND in shown(root, listed, period="month")
        return len(told)

    use(ann, 1)
    few = cost()
    for _ in range(5):
        use(make_user(), 1)
    assert cost() == few
    row = QuotaUse.objects.filter(owner=ann).first()
    assert row
    assert "ann" in shown(root, listed, q="ann")
    assert root.post(reverse("admin:jobs_quotause_change", args=[row.pk]), {"used": "0"}).status_code == 403
    assert root.get(reverse("admin:jobs_quotause_add")).status_code == 403


def test_names_that_users_chose_run_nothing(root: Client) -> None:
    evil = make_user(EVIL)
    Account.objects.create(user=evil, tier=EVIL[:20])
    for name, args in (("changelist", []), ("change", [evil.pk])):
        assert EVIL not in shown(root, reverse(f"admin:jobs_account_{name}", args=args))
