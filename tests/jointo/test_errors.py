"""Every address of the API, sent what it does not expect: an answer in the one shape, never a bug of ours."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from assets.models import Extraction, ExtractionReport, Merge
from jobs import batches
from jobs.models import Delivery, Job
from tests import kinds
from tests.assets.builders import make_asset, make_episode, make_likeness
from tests.builders import make_job, make_user
from tests.videos.test_projects_api import make_project
from tests.videos.test_videos_api import make_video
from videos.models import Export

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
TEXTS = ["", "\0", "\ud800", "x" * 5000, "../../etc/passwd", "%s%n", "'; DROP TABLE jobs_job; --", "𝕬\u202e"]
VALUES: list[Any] = [None, True, -1, 0, 2**63, 10**400, 1.5, [], {}, [[]], {"a": {"b": []}}, *TEXTS]
IDS = [str(uuid.uuid4()), "0", "-1", str(2**63), "9" * 5000, "%00", "%ff", "..", "x" * 300, "nonsense"]
QUERIES = [
    {"cursor": "nonsense"},
    {"page_size": "-1"},
    {"status": "\0"},
    {"format": "xml"},
    {"deleted": "\0"},
    {"created_after": "x"},
    {"unknown[]": "\0"},
]
RAW = [
    b"",
    b"{",
    b"[" * 500 + b"]" * 500,
    b"null",
    b"[]",
    b"\xff\xfe",
    b'"text"',
    b"[" * 50_000,
    b"9" * 10_000,
    b"NaN",
    b'{"a":1}{"b":2}',
]


def schema_of_the_api() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))


def addresses() -> dict[str, dict[str, Any]]:
    return dict(schema_of_the_api()["paths"])


def names_of(operation: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The fields that a body may have."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return sorted(schema["components"]["schemas"].get(name, {}).get("properties", {}))


def check(answer: Any, story: str) -> None:
    """An answer that is no bug; an error has the one shape."""
    assert answer.status_code < 500, f"{story}: {answer.status_code} {answer.content[:300]}"
    if answer.status_code < 400 or isinstance(answer, StreamingHttpResponse) or not answer.content:
        return
    said = answer.json()
    assert set(said) == {"error"}, story
    assert set(said["error"]) == {"code", "message", "details"}, story
    assert re.fullmatch(r"[a-z_]+", said["error"]["code"]), story
    message = said["error"]["message"]
    assert isinstance(message, str), story
    assert message.endswith("."), f"{story}: {message}"
    assert "Error" not in message, f"{story}: {message}"
    assert "{" not in message, f"{story}: {message}"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(ann)
    return client


@pytest.mark.parametrize("path", sorted(addresses()))
def test_nothing_that_anybody_sends_is_a_bug_of_ours(api: APIClient, ann: User, path: str) -> None:
    schema = schema_of_the_api()
    video, job = make_video(ann), make_job(owner_id=ann.pk)
    upload = ann.uploads.create(file_name="a", file_size=9, chunk_size=5, touched_at=job.run_at)
    batch = batches.create(kinds.add, [((1,), {})], owner_id=ann.pk)
    delivery = Delivery.objects.create(
        key="k", channel="webhook", event="job.completed", target="https://example.org", user=ann, created_at=job.run_at
    )
    project = make_project(ann, videos=1, pk=video.pk)
    export = Export.objects.create(project=project, source="materials", version=0, materials=[])
    right = {"upload_id": str(upload.pk), "job_id": str(job.pk), "id": str(video.pk), "index": "0"}
    right |= {"batch_id": str(batch.pk), "delivery_id": str(delivery.pk), "export_id": str(export.pk)}
    right |= {"material_id": str(project.materials.get().pk)}
    episode, asset, other = make_episode(project, pk=video.pk), make_asset(project, pk=video.pk), make_asset(project)
    extraction = Extraction.objects.create(episode=episode, attempt=1, model="offline", status="completed")
    right |= {"extraction_id": str(extraction.pk)}
    make_likeness(asset, other, pk=video.pk)
    Merge.objects.create(project=project, kept=other, absorbed=asset, undone_at=job.run_at, pk=video.pk)
    ExtractionReport.objects.create(owner=ann, project=project, pk=video.pk)
    whole = re.sub(r"\{(\w+)\}", lambda found: right[found[1]], path)
    wrong = [re.sub(r"\{\w+\}", bad, path) for bad in IDS] if "{" in path else []
    streams = "events" in path
    for address in [whole, *wrong]:
        for method in METHODS:
            if not (streams and method == "get" and address == whole):
                check(getattr(api, method)(address), f"{method} {address[:100]}")
    if streams:
        return
    for query in QUERIES:
        check(api.get(whole, query), f"get {whole} {query}")
    for method, operation in schema["paths"][path].items():
        if method not in ("post", "put", "patch"):
            continue
        for raw in RAW:
            for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense"):
                story = f"{method} {whole} {kind} {raw[:20]!r}"
                check(getattr(api, method)(whole, raw, content_type=kind), story)
        for name in names_of(operation, schema):
            for value in VALUES:
                body = json.dumps({name: value}).encode()
                answer = getattr(api, method)(whole, body, content_type="application/json")
                check(answer, f"{method} {whole} {name}={str(value)[:20]!r}")
    assert Job.objects.filter(pk=job.pk).exists()


def test_an_address_that_nobody_answers_is_told_in_the_same_shape(api: APIClient) -> None:
    for address in ("/api/", "/api/nothing/", "/api/jobs/x/y/z/", "/api/%00/"):
        answer = api.get(address)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "text/html" in api.get("/nothing/").headers["Content-Type"]


def test_what_a_client_wants_to_hear_may_be_anything(api: APIClient) -> None:
    for wanted in ("text/html", "nonsense", "*/*", "application/xml;q=0.9", "\xff"):
        check(api.get("/api/jobs/", headers={"Accept": wanted}), wanted)


def test_what_is_nested_too_deeply_to_be_passed_on_is_refused(api: APIClient) -> None:
    deep = b'{"kind": "k", "members": ' + b"[" * 480 + b"]" * 480 + b"}"
    answer = api.post("/api/batches/", deep, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_body")


def test_an_error_is_json_also_to_who_asked_for_a_stream(api: APIClient) -> None:
    answer = api.get(f"/api/jobs/{uuid.uuid4()}/events/", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")


def test_a_filter_that_is_too_long_is_refused_before_the_database_does(api: APIClient) -> None:
    assert api.get("/api/videos/", {"title": "a" * 60_000}).status_code == 400


def test_a_host_that_is_not_ours_is_refused_in_the_same_shape() -> None:
    answer = Client().get("/api/jobs/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_the_schema_and_its_pages_are_there(api: APIClient) -> None:
    for version in ("", "?version=2", "?version=%0a", "?version=%00"):
        assert api.get(f"/api/schema/{version}").status_code == 200
    operations = [one for path in addresses().values() for one in path.values()]
    assert all("default" in one["responses"] for one in operations if "responses" in one)
    assert api.get("/api/docs/").status_code == 200
