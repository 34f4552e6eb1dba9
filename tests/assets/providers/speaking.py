"""The protocols of services that answer with text, as their references have them, and in their words."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from tests.assets.providers.serving import KEY, PICTURE, WAIT, Seen, Service, Told, as_told, bearer

_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def _anthropic(kind: str, message: str, code: str = "") -> Mapping[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": message}
    if code:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": "req_011"}


def _openai(message: str, kind: str, code: str | None = None, param: str | None = None) -> Mapping[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, "param": param}}


class AnthropicService(Service):
    """POST /v1/messages."""

    refusals = {
        "auth": Told(401, _anthropic("authentication_error", f"invalid x-api-key: {KEY}")),
        "rate": Told(429, _anthropic("rate_limit_error", "Number of requests has exceeded your rate limit"), WAIT),
        "quota": Told(429, _anthropic("rate_limit_error", "You have reached a limit", "enforced_spend_limit_reached")),
        "paid": Told(402, _anthropic("billing_error", "Payment required")),
        "low": Told(400, _anthropic("invalid_request_error", "Your credit balance is too low to access the API.")),
        "down": Told(529, _anthropic("overloaded_error", "Overloaded")),
        "broken": Told(500, _anthropic("api_error", "Internal server error")),
        "invalid": Told(400, _anthropic("invalid_request_error", f"max_tokens: too many, says {KEY}")),
    }
    stop = "end_turn"

    def authorised(self, seen: Seen) -> bool:
        return seen.headers.get("x-api-key") == KEY or bearer(seen)  # its own client sends it so

    def order(self, seen: Seen) -> Told | None:
        if (seen.method, seen.path) != ("POST", "/v1/messages"):
            return None
        asked = seen.json
        sound = seen.headers.get("anthropic-version") == "2026-10-21" and asked["max_tokens"] > 0
        shape = asked["output_config"]["format"]
        sound &= shape["type"] == "json_schema" and "minItems" not in str(shape["schema"])
        sound &= [message["role"] for message in asked["messages"]] == ["user"] and "temperature" not in asked
        if not sound:
            return self.refusals["invalid"]
        stop = "refusal" if self.fault == "content" else self.stop
        self.fault = "" if self.fault == "content" else self.fault
        return Told(
            body={
                "id": "msg_01",
                "type": "message",
                "role": "assistant",
                "model": asked["model"],
                "content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": self.text}],
                "stop_reason": stop,
                "usage": {"input_tokens": 11, "cache_read_input_tokens": 0, "output_tokens": 7},
            }
        )


class OpenAIService(Service):
    """POST /v1/chat/completions, /v1/images/generations, /v1/images/edits; /v1/videos as resellers serve it."""

    base = "/v1"

    refusals = {
        "auth": Told(401, _openai(f"Incorrect API key provided: {KEY}.", "invalid_request_error", "invalid_api_key")),
        "rate": Told(429, _openai("Rate limit reached for requests", "requests", "rate_limit_exceeded"), WAIT),
        "quota": Told(429, _openai("No credit is left", "insufficient_quota", "credit_balance_exhausted")),
        "down": Told(503, _openai("Slow down", "service_unavailable_error", "server_is_overloaded")),
        "broken": Told(500, _openai("The server had an error", "server_error")),
        "invalid": Told(400, _openai(f"Invalid size, says {KEY}", "invalid_request_error", None, "size")),
        "content": Told(400, _openai("Your request was rejected by the safety system", "x", "moderation_blocked")),
        "no schema": Told(400, _openai("This response_format type is unavailable now", "invalid_request_error")),
    }
    finish = "stop"
    refusal: str | None = None
    knows_schemas = True

    def authorised(self, seen: Seen) -> bool:
        return bearer(seen)

    def order(self, seen: Seen) -> Told | None:
        if seen.method != "POST":
            return None
        if seen.path == "/chat/completions":
            return self._chat(seen.json)
        if seen.path == "/images/generations":
            asked = seen.json
            sound = asked["n"] == 1 and re.fullmatch(r"\d+x\d+", asked.get("size", "1x1"))
            return self._picture() if sound else self.refusals["invalid"]
        if seen.path == "/images/edits":
            whole = b'name="image[]"; filename=' in seen.body and PICTURE in seen.body and b'name="prompt"' in seen.body
            return self._picture() if whole else self.refusals["invalid"]
        if seen.path == "/videos":
            sound = seen.headers["content-type"].startswith("multipart/form-data; boundary=")
            sound &= b'name="prompt"' in seen.body and b'name="seconds"\r\n\r\n4\r\n' in seen.body
            told = {"id": "video_1", "object": "video", "status": "queued", "progress": 0, "model": "m"}
            return Told(body=told) if sound else self.refusals["invalid"]
        return None

    def _chat(self, asked: Any) -> Told:
        form = asked["response_format"]
        strict = form["type"] == "json_schema" and form["json_schema"]["strict"] and form["json_schema"]["name"]
        if strict and not self.knows_schemas:
            return self.refusals["no schema"]
        if not strict and '"required"' not in asked["messages"][0]["content"]:
            return self.refusals["invalid"]
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return Told(body={"id": "chatcmpl-1", "model": asked["model"], "choices": [choice], "usage": _USAGE})

    def _picture(self) -> Told:
        data = [{"b64_json": base64.b64encode(self.file).decode()}]
        usage = {"input_tokens": 5, "output_tokens": 100, "total_tokens": 105}
        return Told(body={"created": 1, "data": data, "output_format": "png", "usage": usage})

    def look(self, seen: Seen) -> Told | str | None:
        if seen.path == "/videos/video_1/content" and seen.method == "GET":
            return Told(200, self.file, {"content-type": "video/mp4"})
        if seen.path != "/videos/video_1":
            return None
        if seen.method == "DELETE":
            self.cancelled.append("video_1")
            return Told(body={"id": "video_1", "object": "video.deleted", "deleted": True})
        phase = self.next_phase()
        words = {"waiting": "queued", "running": "in_progress", "done": "completed", "strange": "dreaming"}
        body = {
            "id": "video_1",
            "object": "video",
            "status": words.get(phase, "failed"),
            "progress": 40,
            "seconds": "4",
        }
        if phase == "cancelled":
            body["status"] = "cancelled"
        elif body["status"] == "failed":
            code = "moderation_blocked" if phase == "refused" else "server_error"
            body["error"] = {"code": code, "message": "It could not be made"}
        return as_told(phase, body)
