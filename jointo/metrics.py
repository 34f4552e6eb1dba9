"""/metrics, for Prometheus."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from jobs import journal
from jobs.metrics import registry
from jointo.errors import body


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything that is measured. With JOINTO_METRICS_TOKEN set, only for who brings it as a bearer token."""
    if not _may_read(request):
        sentence = "The metrics are for the holder of JOINTO_METRICS_TOKEN. Send it as `Authorization: Bearer …`."
        headers = {"WWW-Authenticate": "Bearer"}
        return JsonResponse(body("not_authenticated", sentence), status=401, headers=headers)
    try:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    except (TypeError, ValueError):  # a version that is none
        encode, content_type = choose_encoder("")
    try:
        journal.book_quietly()
        return HttpResponse(encode(registry()), content_type=content_type)
    except (OperationalError, InterfaceError):
        sentence = "The database does not answer at the moment. Try again in a few seconds."
        return JsonResponse(body("unavailable", sentence), status=503, headers={"Retry-After": "5"})


def _may_read(request: HttpRequest) -> bool:
    token: str = settings.JOINTO_JOBS.metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = secrets.compare_digest(given.strip().encode(), token.encode())
    return not token or (scheme.lower() == "bearer" and right)
