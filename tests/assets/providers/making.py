"""The protocols of services that make pictures and clips, as their references have them, and in their words."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from tests.assets.providers.serving import KEY, WAIT, Seen, Service, Told, as_told, bearer


def _detail(kind: str, message: str) -> Mapping[str, Any]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": message, "type": kind, "url": "x", "input": "y"}]}


def _ark(code: str, message: str, kind: str = "BadRequest") -> Mapping[str, Any]:
    return {"error": {"code": code, "message": message, "param": "", "type": kind}}


_PREDICTION: Mapping[str, Any] = {
    "id": "pred1",
    "model": "owner/name",
    "version": "hidden",
    "error": None,
    "logs": "",
    "urls": {},
}


class HttpService(Service):
    """POST /generate-image, /generate-video."""

    refusals = {
        "auth": Told(401, {"error": f"wrong key {KEY}"}),
        "rate": Told(429, {"error": "too many"}, WAIT),
        "quota": Told(402, {"error": "nothing left"}),
        "used up": Told(429, {"error": {"code": "quota_exceeded", "message": "nothing left"}}),
        "down": Told(503, {"error": {"code": "unavailable", "message": "full"}}),
        "broken": Told(502, b"<html>bad gateway</html>", {"content-type": "text/html"}),
        "invalid": Told(422, {"error": f"no such model, says {KEY}"}),
        "content": Told(400, {"error": {"code": "content_rejected", "message": "not this"}}),
    }

    def authorised(self, seen: Seen) -> bool:
        return bearer(seen)

    def order(self, seen: Seen) -> Told | None:
        kind = {"/generate-image": "image_url", "/generate-video": "video_url"}.get(seen.path)
        if kind is None or seen.method != "POST":
            return None
        return Told(body={kind: self.result_url}) if seen.json["prompt"] else self.refusals["invalid"]


class ReplicateService(Service):
    """/v1/predictions."""

    base = "/v1"
    refusals = {
        "auth": Told(401, {"title": "Unauthenticated", "detail": f"{KEY} is no valid token", "status": 401}),
        "rate": Told(429, {"detail": "Request was throttled. Your rate limit resets in ~7s.", "status": 429}),
        "quota": Told(402, {"title": "Insufficient credit", "detail": "You have insufficient credit", "status": 402}),
        "down": Told(503, {"detail": "Service unavailable"}),
        "broken": Told(500, {"detail": "Internal server error"}),
        "invalid": Told(422, {"title": "Input validation failed", "detail": f"- input.prompt is required: {KEY}"}),
        "content": Told(422, {"title": "Refused", "detail": "The input was flagged as sensitive (E005)"}),
    }

    def authorised(self, seen: Seen) -> bool:
        return bearer(seen)

    def order(self, seen: Seen) -> Told | None:
        official = re.fullmatch(r"/models/[^/]+/[^/]+/predictions", seen.path)
        if seen.method != "POST" or not (official or seen.path == "/predictions"):
            return None
        if "prompt" not in seen.json["input"] or bool(official) == ("version" in seen.json):
            return self.refusals["invalid"]
        return Told(201, {"status": "starting", "output": None, **_PREDICTION})

    def look(self, seen: Seen) -> Told | str | None:
        if (seen.method, seen.path) == ("POST", "/predictions/pred1/cancel"):
            self.cancelled.append("pred1")
            return Told(body={"status": "canceled", **_PREDICTION})
        if (seen.method, seen.path) != ("GET", "/predictions/pred1"):
            return None
        phase = self.next_phase()
        words = {"waiting": "starting", "running": "processing", "done": "succeeded", "strange": "booting"}
        body: dict[str, Any] = {**_PREDICTION, "status": words.get(phase, "failed"), "output": None}
        if phase == "done":
            body |= {"output": [self.result_url], "metrics": {"predict_time": 3.5}}
        elif phase == "cancelled":
            body["status"] = "aborted"
        elif body["status"] == "failed":
            body["error"] = "NSFW content detected. Try another prompt." if phase == "refused" else "CUDA out of memory"
        return as_told(phase, body)


class FalService(Service):
    """The queue: /{owner}/{app}…, and below /requests/{id}."""

    refusals = {
        "auth": Told(401, {"detail": f"Cannot access with {KEY}"}),
        "rate": Told(429, {"detail": "Too many requests"}, WAIT),
        "quota": Told(403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."}),
        "down": Told(503, {"detail": "Service unavailable"}),
        "broken": Told(504, {"detail": "Gateway timeout"}),
        "invalid": Told(422, _detail("missing", f"Field required, says {KEY}")),
        "content": Told(422, _detail("content_policy_violation", "The content was flagged by a content checker.")),
    }

    def authorised(self, seen: Seen) -> bool:
        return seen.headers.get("authorization") == f"Key {KEY}"

    def order(self, seen: Seen) -> Told | None:
        if seen.method != "POST" or "/requests/" in seen.path:
            return None
        _, owner, app, *_ = f"{seen.path}/".split("/")
        if not app or not seen.json.get("prompt"):
            return self.refusals["invalid"]
        place = f"http://{self.host}/{owner}/{app}/requests/req-1"
        urls = {"response_url": place, "status_url": f"{place}/status", "cancel_url": f"{place}/cancel"}
        return Told(body={"status": "IN_QUEUE", "request_id": "req-1", "queue_position": 0, **urls})

    def look(self, seen: Seen) -> Told | str | None:
        found = re.fullmatch(r"/fal-ai/[a-z]+/requests/req-1(/status|/cancel|)", seen.path)
        if not found:
            return None
        if found[1] == "/cancel" and seen.method == "PUT":
            self.cancelled.append("req-1")
            return Told(202, {"status": "CANCELLATION_REQUESTED"})
        if found[1] == "/status":
            return self._status(self.next_phase())
        if self.looks[-1] == "refused":
            return self.refusals["content"]
        kind = "video" if "seedance" in seen.path or "video" in seen.path else "images"
        file = {"url": self.result_url, "content_type": "image/png", "duration": 4.0}
        return Told(body={kind: [file] if kind == "images" else file, "seed": 7, "has_nsfw_concepts": [False]})

    def _status(self, phase: str) -> Told | str:
        words = {"waiting": "IN_QUEUE", "running": "IN_PROGRESS", "strange": "RESTARTING"}
        body: dict[str, Any] = {"status": words.get(phase, "COMPLETED"), "request_id": "req-1", "logs": None}
        if phase == "waiting":
            body["queue_position"] = 0
        if phase == "failed":
            body |= {"error": "Runner died", "error_type": "runner_disconnected"}
        elif phase == "cancelled":
            body |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
        done = body["status"] == "COMPLETED"
        told = as_told(phase, body)
        return Told(202, body) if isinstance(told, Told) and told.status == 200 and not done else told


class ArkService(Service):
    """/api/v3/images/generations, /api/v3/contents/generations/tasks."""

    base = "/api/v3"

    refusals = {
        "auth": Told(401, _ark("AuthenticationError", f"The API key {KEY} is invalid", "Unauthorized")),
        "rate": Told(429, _ark("RateLimitExceeded.EndpointRPMExceeded", "RPM", "TooManyRequests"), WAIT),
        "quota": Told(403, _ark("AccountOverdueError", "your account has an overdue balance", "Forbidden")),
        "down": Told(429, _ark("ServerOverloaded", "The service is unable to process", "TooManyRequests")),
        "broken": Told(500, _ark("InternalServiceError", "an unexpected error", "InternalServerError")),
        "invalid": Told(400, _ark("InvalidParameter", f"duration is not valid, says {KEY}")),
        "content": Told(400, _ark("InputTextSensitiveContentDetected.PolicyViolation", "it may contain something")),
    }

    def authorised(self, seen: Seen) -> bool:
        return bearer(seen)

    def order(self, seen: Seen) -> Told | None:
        if seen.method != "POST":
            return None
        if seen.path == "/images/generations":
            form = seen.json["response_format"]
            if not (seen.json["model"] and seen.json["prompt"] and form in ("url", "b64_json")):
                return self.refusals["invalid"]
            entry = {"url": self.result_url} if form == "url" else {form: base64.b64encode(self.file).decode()}
            return Told(body={"data": [entry], "usage": {}})
        if seen.path == "/contents/generations/tasks":
            kinds = [part["type"] for part in seen.json["content"]]
            sound = kinds[:1] == ["text"] and all(kind == "image_url" for kind in kinds[1:])
            return Told(body={"id": "cgt-1"}) if sound else self.refusals["invalid"]
        return None

    def look(self, seen: Seen) -> Told | str | None:
        if seen.path != "/contents/generations/tasks/cgt-1":
            return None
        if seen.method == "DELETE":
            self.cancelled.append("cgt-1")
            return Told()
        phase = self.next_phase()
        words = {"waiting": "queued", "running": "running", "done": "succeeded", "strange": "reviewing"}
        body: dict[str, Any] = {"id": "cgt-1", "model": "m", "status": words.get(phase, "failed")}
        if phase == "done":
            body |= {"content": {"video_url": self.result_url}, "usage": {"completion_tokens": 9}, "duration": 5}
        elif phase == "cancelled":
            body["status"] = "expired"
        elif body["status"] == "failed":
            code = "OutputVideoSensitiveContentDetected" if phase == "refused" else "InternalServiceError"
            body["error"] = {"code": code, "message": "It could not be made"}
        return as_told(phase, body)
