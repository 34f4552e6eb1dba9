"""The one shape in which the API tells errors: ``{"error": {"code", "message", "details"}}``."""

from __future__ import annotations

import json
import logging
import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import set_rollback
from rest_framework_simplejwt.exceptions import InvalidToken

from jobs.errors import JointoError

logger = logging.getLogger(__name__)

# DRF's exceptions, most special first, and our codes for them. A code never changes its meaning.
_CODES: list[tuple[type[exceptions.APIException], str]] = [
    (InvalidToken, "token_invalid"),
    (exceptions.ValidationError, "invalid"),
    (exceptions.ParseError, "malformed_body"),
    (exceptions.NotAuthenticated, "not_authenticated"),
    (exceptions.AuthenticationFailed, "authentication_failed"),
    (exceptions.PermissionDenied, "permission_denied"),
    (exceptions.NotFound, "not_found"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.NotAcceptable, "not_acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.Throttled, "throttled"),
]


def body(code: str, message: str, details: Any = None) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": {"code": code, "message": _whole(message), "details": details or {}}}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error that we know, in our shape; anything else is a bug, and a 500."""
    set_rollback()
    match error:
        case JointoError():
            headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else {}
            if error.status == HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = "Bearer"
            return _answer(body(error.code, error.message, _whole_too(error.details)), error.status, headers)
        case Http404():
            return _answer(body("not_found", "There is nothing of yours at this address."), 404)
        case PermissionDenied():
            return _answer(body("permission_denied", "You may not do this."), 403)
        case exceptions.APIException():
            return _of_api_exception(error)
        case OperationalError() | InterfaceError():
            logger.exception("the database did not answer")
            sentence = "The database does not answer at the moment. Try again in a few seconds."
            return _answer(body("unavailable", sentence), 503, {"Retry-After": "5"})
    return None


def _answer(content: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    """JSON, also to who asked for a stream of events."""
    return Response(content, status=status, headers=headers, content_type="application/json")


def _of_api_exception(error: exceptions.APIException) -> Response:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "error")
    headers: dict[str, str] = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.ValidationError):
        details = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        details = _whole_too(details)
        return _answer(body(code, _first_sentence(details), details), 400, headers)
    if isinstance(error, InvalidToken):
        sentence = "The token is wrong or has expired. Get one with a good refresh token, or sign in."
        return _answer(body(code, sentence), error.status_code, headers)
    said = error.detail.get("detail", "") if isinstance(error.detail, dict) else error.detail
    return _answer(body(code, _sentence(str(said))), error.status_code, headers)


def _first_sentence(details: Any) -> str:
    """What to tell a person of a validation error: the first field that is wrong, and why."""
    field, reason = next(iter(details.items()), ("", "The input is not valid."))
    while isinstance(reason, list | dict) and reason:
        reason = reason[0] if isinstance(reason, list) else next(iter(reason.values()))
    return _sentence(str(reason) if field == "non_field_errors" else f"{field}: {reason}")


def _whole(text: str) -> str:
    """The text without halves of characters, which a message may repeat from what was sent."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _whole_too(details: Any) -> Any:
    """The same of all the texts in an error's details."""
    return json.loads(_whole(json.dumps(details, ensure_ascii=False, cls=JSONEncoder)))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: a request that Django itself refuses, such as a host that is not ours."""
    if _wants_json(request):
        return JsonResponse(body("bad_request", "The request can't be understood."), status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: an address that nobody answers."""
    if _wants_json(request):
        return JsonResponse(body("not_found", "There is nothing at this address."), status=404)
    return defaults.page_not_found(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if _wants_json(request):
        return JsonResponse(body("permission_denied", "You may not do this."), status=403)
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a bug of ours."""
    if _wants_json(request):
        sentence = "Something went wrong on our side. It has been written down."
        return JsonResponse(body("server_error", sentence), status=500)
    return defaults.server_error(request)
