"""Fixtures of the assets floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.assets.model_server import ModelServer, serving, use
from tests.builders import make_user


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def model(settings: Any) -> Iterator[ModelServer]:
    """A language model that the site knows as `openai:small`."""
    with serving() as server:
        use(server, settings)
        yield server
