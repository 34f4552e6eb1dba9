"""The operator's pages of the assets floor: each opens, with rows, and its actions do what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assets import prompts, tasks, usage
from assets.models import (
    Asset,
    Episode,
    Extraction,
    ExtractionReport,
    Generation,
    Likeness,
    Merge,
    Prompt,
    ProviderLimit,
    Usage,
)
from assets.providers.base import Usage as Used
from jobs.models import Job
from jobs.testing import run
from tests.assets.builders import make_asset, make_episode, make_likeness, make_project
from tests.builders import make_user

pytestmark = pytest.mark.django_db

MODELS = [Asset, Episode, Extraction, ExtractionReport, Generation, Likeness, Merge, Prompt, ProviderLimit, Usage]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def rows(ann: User) -> None:
    """One of everything."""
    project = make_project(ann)
    episode = make_episode(project, script="INT. HALL <b>- DAY\n\nSARAH\nHello.\n")
    job = run(tasks.start(episode.pk))
    Extraction.objects.create(
        episode=episode, attempt=9, model="m", status="failed", error_code="answer_unusable", answers=["<b>no</b>"]
    )
    one, other = make_asset(project, "A"), make_asset(project, "B", merged_into=None)
    make_likeness(one, other, reasons=["same words"])
    Merge.objects.create(project=project, kept=one, absorbed=other)
    ExtractionReport.objects.create(owner=ann, project=project, counts={"episodes": {"completed": 1, "total": 2}})
    Generation.objects.create(owner=ann, kind="image", prompt="a cat", provider="fal", asset=one)
    Prompt.objects.create(name="extract", version=1, text="List.")
    ProviderLimit.objects.create(provider="openai", at_once=2)
    usage.record(Used(input_tokens=3, cost=Decimal("0.5")), job_id=job.pk, provider="openai", model="m")


def act(staff: Client, model: Any, action: str, *pks: Any, **query: str) -> Any:
    address = reverse(f"admin:assets_{model._meta.model_name}_changelist", query=query)
    answer = staff.post(address, {"action": action, "_selected_action": list(pks)}, follow=True)
    assert answer.status_code == 200
    return answer


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_page_opens_and_can_be_searched(staff: Client, model: Any) -> None:
    name = model._meta.model_name
    address = reverse(f"admin:assets_{name}_changelist")
    assert staff.get(address).status_code == 200
    assert staff.get(address, {"q": "a"}).status_code == 200
    page = staff.get(reverse(f"admin:assets_{name}_change", args=[model.objects.first().pk]))
    assert page.status_code == 200
    assert b"<b>" not in page.content.replace(b"<b></b>", b"")


@pytest.mark.usefixtures("rows")
def test_a_list_asks_as_often_for_many_rows_as_for_one(staff: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(10):
        make_episode()
        make_asset()
    for model in (Episode, Asset, Extraction):
        with django_assert_max_num_queries(10):
            staff.get(reverse(f"admin:assets_{model._meta.model_name}_changelist"))


@pytest.mark.usefixtures("rows")
def test_episodes_are_filtered_by_what_state_they_are_in(staff: Client) -> None:
    address = reverse("admin:assets_episode_changelist")
    for status, count in (("completed", 1), ("pending", 0), ("failed", 0), ("analysing", 0)):
        assert staff.get(address, {"status": status}).context["cl"].queryset.count() == count


@pytest.mark.usefixtures("rows")
def test_the_raw_answers_of_a_failed_extraction_are_shown(staff: Client) -> None:
    failed = Extraction.objects.get(status="failed")
    page = staff.get(reverse("admin:assets_extraction_change", args=[failed.pk])).content.decode()
    assert "&lt;b&gt;no&lt;/b&gt;" in page


@pytest.mark.usefixtures("rows")
def test_an_operator_has_episodes_extracted_again(staff: Client) -> None:
    episode = Episode.objects.get()
    refused = act(staff, Episode, "extract", episode.pk)
    assert "has been extracted already" in refused.content.decode()
    before = Job.objects.count()
    act(staff, Episode, "extract_again", episode.pk)
    assert Job.objects.count() == before + 1
    assert Episode.objects.select_related("job").get().status == "analysing"


@pytest.mark.usefixtures("rows")
def test_an_operator_changes_an_asset_as_its_owner_would(staff: Client) -> None:
    asset = Asset.objects.get(name="A")
    address = reverse("admin:assets_asset_change", args=[asset.pk])
    empty = {"appearances-TOTAL_FORMS": "0", "appearances-INITIAL_FORMS": "0"}
    said = {"name": "Anna", "description": "new", "gender": "", "age": "", "voice": "", "role": "lead", **empty}
    staff.post(address, said, follow=True)
    asset.refresh_from_db()
    assert (asset.name, asset.aliases, asset.role, asset.edited_at is not None) == ("Anna", ["A"], "lead", True)
    told = staff.post(address, {**said, "name": "B"}, follow=True).content.decode()
    assert "another asset of this kind and name" in told
    assert "changed successfully" not in told
    assert LogEntry.objects.count() == 1
    act(staff, Asset, "delete_for_a_while", asset.pk)
    asset.refresh_from_db()
    assert asset.deleted_at is not None
    act(staff, Asset, "restore", asset.pk)
    asset.refresh_from_db()
    assert asset.deleted_at is None


@pytest.mark.usefixtures("rows")
def test_a_page_that_is_saved_as_it_was_does_not_keep_extractions_away(staff: Client) -> None:
    asset = Asset.objects.get(name="A")
    Asset.objects.filter(pk=asset.pk).update(description="tall\nand thin", role="lead")
    said = {"name": "A", "description": "tall\r\nand thin", "gender": "", "age": "", "voice": "", "role": "lead"}
    empty = {"appearances-TOTAL_FORMS": "0", "appearances-INITIAL_FORMS": "0"}
    staff.post(reverse("admin:assets_asset_change", args=[asset.pk]), {**said, **empty})
    asset.refresh_from_db()
    assert (asset.edited_at, asset.description) == (None, "tall\nand thin")


@pytest.mark.usefixtures("rows")
def test_an_action_that_is_refused_says_so_and_the_others_are_done(staff: Client) -> None:
    kept, other = Asset.objects.get(name="A"), Asset.objects.get(name="B")
    absorbed = make_asset(kept.project, "C", merged_into=kept)
    told = act(staff, Asset, "delete_for_a_while", absorbed.pk, other.pk).content.decode()
    assert "merged into another" in told
    gone = Asset.objects.exclude(deleted_at=None)
    assert list(gone) == [other]


@pytest.mark.usefixtures("rows")
def test_the_review_list_shows_what_is_to_be_decided(staff: Client) -> None:
    address = reverse("admin:assets_likeness_changelist")
    assert "same words" in staff.get(address).content.decode()
    Likeness.objects.update(state="kept_apart", decided_at=timezone.now())
    assert "same words" not in staff.get(address).content.decode()
    assert "same words" in staff.get(address, {"state": "kept_apart"}).content.decode()
    assert "same words" in staff.get(address, {"state": "all"}).content.decode()


@pytest.mark.usefixtures("rows")
def test_a_new_version_of_a_prompt_is_written_over_the_current_one_and_goes_before_the_file(staff: Client) -> None:
    page = staff.get(reverse("admin:assets_prompt_add"), {"name": "extract"}).content.decode()
    assert "You break scripts down" in page
    for text in ("First.", "Second."):
        said = {"name": "extract", "text": text, "use": "on"}
        assert staff.post(reverse("admin:assets_prompt_add"), said).status_code == 302
    assert prompts.current("extract") == prompts.Text(version="extract site 3", text="Second.")
    assert list(Prompt.objects.filter(active=True).values_list("version", flat=True)) == [3]
    second = Prompt.objects.get(version=2)
    act(staff, Prompt, "make_active", second.pk)
    assert prompts.current("extract").text == "First."
    act(staff, Prompt, "make_inactive", second.pk)
    assert prompts.current("extract").version == "extract 1"
    address = reverse("admin:assets_prompt_change", args=[second.pk])
    staff.post(address, {"use": "on", "text": "changed in place"})
    second.refresh_from_db()
    assert (second.active, second.text) == (True, "First.")
    refused = staff.post(reverse("admin:assets_prompt_add"), {"name": "../../etc", "text": "x"})
    assert refused.status_code == 200


@pytest.mark.usefixtures("rows")
def test_the_sums_of_what_was_used_stand_above_the_list(staff: Client) -> None:
    page = staff.get(reverse("admin:assets_usage_changelist")).content.decode()
    assert "0.500000" in page
    assert "assets.tasks.extract_assets" in page
    none: Any = staff.get(reverse("admin:assets_usage_changelist"), {"provider": "fal"}).context_data
    assert none["sums"] == []


@pytest.mark.usefixtures("rows")
def test_a_limit_is_set_for_a_service_that_there_is(staff: Client) -> None:
    said = {"provider": "anthropic", "at_once": "3", "per_minute": ""}
    staff.post(reverse("admin:assets_providerlimit_add"), said)
    assert ProviderLimit.objects.get(provider="anthropic").at_once == 3
    staff.post(reverse("admin:assets_providerlimit_add"), {**said, "provider": "antropic"})
    assert not ProviderLimit.objects.filter(provider="antropic").exists()
    ProviderLimit.objects.update(blocked_until=timezone.now())
    act(staff, ProviderLimit, "unblock", "anthropic")
    assert ProviderLimit.objects.get(provider="anthropic").blocked_until is None
