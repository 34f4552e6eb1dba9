"""What was made is counted, by the name and the unit that prices know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from assets import tasks
from assets.models import Usage
from assets.providers import costs
from assets.providers import requests as asked
from assets.providers.settings import Price
from jobs.models import Job
from jobs.status import JobStatus
from jobs.testing import run
from tests.assets.generation.conftest import Set, png
from tests.assets.generation.test_generating import clip, errors_of, picture, row_of
from tests.assets.providers.faces import settings_for
from tests.assets.providers.making import ArkService, FalService, ReplicateService
from tests.assets.providers.serving import Seen, Told
from tests.assets.providers.speaking import OpenAIService

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

Priced = Callable[..., None]


@pytest.fixture
def priced(settings: Any) -> Priced:
    def put(name: str, **said: str) -> None:
        prices = {name: Price(**{unit: Decimal(price) for unit, price in said.items()})}
        settings.JOINTO_PROVIDERS = replace(settings.JOINTO_PROVIDERS, prices=prices)

    return put


def spent() -> Usage:
    return Usage.objects.get()


@pytest.mark.parametrize("model", ["replicate:o/n", "replicate"])
def test_a_model_that_the_settings_choose_is_recorded_by_its_name(
    model: str, ann: User, replicate: ReplicateService, priced: Priced
) -> None:
    priced("replicate/o/n", second="2")
    job = run(picture(ann, model=model))
    assert (spent().model, row_of(job).model, spent().cost) == ("o/n", "o/n", Decimal(7))


def test_pictures_are_counted_where_a_service_counts_seconds(
    ann: User, replicate: ReplicateService, priced: Priced
) -> None:
    priced("replicate", image="0.04")
    run(picture(ann, model="replicate:o/n"))
    assert (spent().images, spent().cost) == (1, Decimal("0.04"))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"seconds": 5.0}, 5.0),
        ({"parameters": {"duration": "8s"}}, 8.0),
        ({"parameters": {"duration": "nan"}}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_clip_of_which_the_length_is_not_told_is_as_long_as_it_was_asked_for(
    said: dict[str, Any], seconds: float, ann: User, setting: Set, priced: Priced, tmp_path: Path
) -> None:
    with FalService() as service:
        service.file = clip(tmp_path)
        look = service.look

        def silent(seen: Seen) -> Told | str | None:
            told = look(seen)
            if isinstance(told, Told) and "video" in told.body:
                del told.body["video"]["duration"]
            return told

        service.look = silent  # type: ignore[method-assign]
        setting(settings_for(service, "fal"))
        priced("fal", second="0.10")
        given = {"model": "fal:fal-ai/seedance", **said}
        job, _ = tasks.generate_video.submit(("text2video", "rain"), given, owner_id=ann.pk)
        done = run(Job.objects.get(pk=job.pk))
    assert done.status == JobStatus.COMPLETED, done.error
    # Of what nobody knows, nobody knows the price either.
    assert (spent().seconds, spent().cost) == (seconds, Decimal(str(seconds)) / 10 if seconds else None)


def test_what_is_priced_by_what_was_not_counted_has_no_price() -> None:
    prices = {"x": Price(image=Decimal(1))}
    for used, cost in ((asked.Usage(images=2), 2), (asked.Usage(seconds=3.0), None), (asked.Usage(), None)):
        assert costs.cost(used, provider="x", model="", prices=prices) == cost
    assert costs.cost(asked.Usage(), provider="x", model="", prices={"x": Price()}) == 0


def test_a_model_among_the_parameters_is_refused_and_not_priced_as_another(ann: User, openai: OpenAIService) -> None:
    job = run(picture(ann, model="openai:cheap", parameters={"model": "dear"}))
    assert (errors_of(job), openai.begun, Usage.objects.count()) == ("provider_invalid_request", [], 0)
    assert job.error and "field of its own" in job.error["message"]


@pytest.mark.parametrize("number", ["1e999", "9" * 400, "-1", "true", "1e300"])
def test_a_number_that_can_not_be_is_none(number: str, ann: User, replicate: ReplicateService) -> None:
    body = '{"status": "succeeded", "output": ["%s"], "metrics": {"predict_time": %s}}'
    done = Told(body=(body % (replicate.result_url, number)).encode())
    replicate.look = lambda seen: done if seen.method == "GET" else None  # type: ignore[method-assign]
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, spent().seconds) == (JobStatus.COMPLETED, 0)


def test_a_picture_as_base64_is_one_at_ark_too(ann: User, setting: Set) -> None:
    with ArkService() as service:
        service.file = png()
        setting(settings_for(service, "ark"))
        job = run(picture(ann, model="ark:m", parameters={"response_format": "b64_json"}))
    assert (job.status, spent().images) == (JobStatus.COMPLETED, 1)
