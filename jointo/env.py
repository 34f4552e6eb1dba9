"""The environment, read once and typed. A value that can't be right stops the program at start.

Every name begins with JOINTO_. A file `.env` beside manage.py is read too if there is one (JOINTO_ENV_FILE
names another, or none when empty); the real environment wins over it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dj_database_url
import dj_email_url  # type: ignore[import-untyped]
from environs import Env, EnvValidationError, validate
from kombu import Connection
from pydantic import SecretStr

BASE_DIR = Path(__file__).resolve().parent.parent

_env = Env()
_file = os.environ.get("JOINTO_ENV_FILE", str(BASE_DIR / ".env"))
if _file:
    if "JOINTO_ENV_FILE" in os.environ and not Path(_file).exists():
        _said = f"JOINTO_ENV_FILE can't be used: there is no file {_file}"
        raise EnvValidationError(_said, [_said])
    _env.read_env(_file, recurse=False)

_positive = validate.Range(min=1)

with _env.prefixed("JOINTO_"):
    DEBUG = _env.bool("DEBUG", False)
    DATA_DIR = _env.path("DATA_DIR", BASE_DIR / "var").resolve()
    SECRET_KEY = _env.str("SECRET_KEY", "")
    ALLOWED_HOSTS = _env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
    PUBLIC_URL = _env.str("PUBLIC_URL", "")  # as browsers see it, for example https://video.example.org
    TIME_ZONE = _env.str("TIME_ZONE", "UTC")
    LANGUAGE = _env.str("LANGUAGE", "en")
    LOG_FORMAT = _env.str("LOG_FORMAT", "line", validate=validate.OneOf(["line", "json"]))
    LOG_LEVEL = _env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))

    DATABASE_URL = _env.str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'jointo.sqlite3'}")
    BROKER_URL = _env.str("BROKER_URL", "redis://127.0.0.1:6379/0")

    ACCESS_TOKEN_SECONDS = _env.int("ACCESS_TOKEN_SECONDS", 900, validate=_positive)
    REFRESH_TOKEN_SECONDS = _env.int("REFRESH_TOKEN_SECONDS", 7 * 86400, validate=_positive)

    # Jobs: how quickly the engine notices things, in seconds
    JOB_LEASE_SECONDS = _env.float("JOB_LEASE_SECONDS", 60.0, validate=_positive)
    JOB_WATCH_SECONDS = _env.float("JOB_WATCH_SECONDS", 0.5, validate=validate.Range(min=0.05))
    JOB_RESEND_SECONDS = _env.float("JOB_RESEND_SECONDS", 10.0, validate=_positive)
    JOB_STOP_GRACE_SECONDS = _env.float("JOB_STOP_GRACE_SECONDS", 5.0, validate=validate.Range(min=0))
    WORKER_PULSE_SECONDS = _env.float("WORKER_PULSE_SECONDS", 10.0, validate=validate.Range(min=0.2))
    EVENTS_POLL_SECONDS = _env.float("EVENTS_POLL_SECONDS", 0.5, validate=validate.Range(min=0.05))
    JOB_TICK_SECONDS = _env.float("JOB_TICK_SECONDS", 1.0, validate=validate.Range(min=0.1))
    JOB_AGING_SECONDS = _env.float("JOB_AGING_SECONDS", 600.0, validate=_positive)
    JOB_MAX_CRASHES = _env.int("JOB_MAX_CRASHES", 3, validate=_positive)

    # What is told, and to whom
    EMAIL_URL = _env.dj_email_url("EMAIL_URL", "console:")
    EMAIL_FROM = _env.str("EMAIL_FROM", "jointo@localhost")
    OPERATOR_EMAILS: list[str] = _env.list("OPERATOR_EMAILS", [])
    OPERATOR_WEBHOOK_URL = _env.str("OPERATOR_WEBHOOK_URL", "")
    OPERATOR_WEBHOOK_SECRET = _env.str("OPERATOR_WEBHOOK_SECRET", "")
    ALERT_PAUSE_SECONDS = _env.float("ALERT_PAUSE_SECONDS", 900.0, validate=validate.Range(min=0))
    WEBHOOK_TIMEOUT_SECONDS = _env.float("WEBHOOK_TIMEOUT_SECONDS", 15.0, validate=_positive)
    INNER_HOSTS: list[str] = _env.list("INNER_HOSTS", [])
    METRICS_TOKEN = _env.str("METRICS_TOKEN", "")

    # How long things are kept
    KEEP_RESULTS_HOURS = _env.int("KEEP_RESULTS_HOURS", 24, validate=_positive)
    KEEP_JOBS_DAYS = _env.int("KEEP_JOBS_DAYS", 30, validate=_positive)
    KEEP_DEAD_LETTERS_DAYS = _env.int("KEEP_DEAD_LETTERS_DAYS", 30, validate=_positive)
    KEEP_STATISTICS_DAYS = _env.int("KEEP_STATISTICS_DAYS", 400, validate=_positive)
    KEEP_DELETED_VIDEOS_DAYS = _env.int("KEEP_DELETED_VIDEOS_DAYS", 7, validate=validate.Range(min=0))
    KEEP_UPLOADS_HOURS = _env.int("KEEP_UPLOADS_HOURS", 24, validate=_positive)
    KEEP_PARTS_DAYS = _env.int("KEEP_PARTS_DAYS", 30, validate=validate.Range(min=0))

    # Uploads and processing
    UPLOAD_CHUNK_BYTES = _env.int("UPLOAD_CHUNK_BYTES", 8 * 2**20, validate=_positive)
    UPLOAD_MAX_BYTES = _env.int("UPLOAD_MAX_BYTES", 100 * 2**30, validate=_positive)
    UPLOAD_TOKEN_SECONDS = _env.int("UPLOAD_TOKEN_SECONDS", 86400, validate=_positive)
    VIDEO_MAX_SECONDS = _env.int("VIDEO_MAX_SECONDS", 12 * 3600, validate=_positive)
    VIDEO_MAX_PIXELS = _env.int("VIDEO_MAX_PIXELS", 8192 * 4320, validate=_positive)
    PARTS_MAX_BYTES = _env.int("PARTS_MAX_BYTES", 10 * 2**30, validate=validate.Range(min=0))
    FFMPEG_THREADS = _env.int("FFMPEG_THREADS", os.cpu_count() or 2, validate=_positive)

    # Drafts of desktop editors
    DRAFT_PROCESSORS: list[str] = _env.list("DRAFT_PROCESSORS", ["videos.drafts.processors.CapCut"])
    DRAFT_URL = _env.str("DRAFT_URL", "")
    DRAFT_MAX_BYTES = _env.int("DRAFT_MAX_BYTES", 4 * 2**30, validate=_positive)
    DRAFT_DOCUMENT_BYTES = _env.int("DRAFT_DOCUMENT_BYTES", 32 * 2**20, validate=_positive)
    DRAFT_MEDIA_BYTES = _env.int("DRAFT_MEDIA_BYTES", 20 * 2**30, validate=_positive)
    DRAFT_ZIP_ENTRIES = _env.int("DRAFT_ZIP_ENTRIES", 10_000, validate=_positive)
    DRAFT_ZIP_RATIO = _env.int("DRAFT_ZIP_RATIO", 200, validate=_positive)
    DRAFT_FETCH_SECONDS = _env.float("DRAFT_FETCH_SECONDS", 600.0, validate=_positive)

    # Scripts, and AI services: address, key and models of each. Keys are read here, and nowhere else.
    SCRIPT_MAX_BYTES = _env.int("SCRIPT_MAX_BYTES", 4 * 2**20, validate=_positive)
    TEXT_MODEL = _env.str("TEXT_MODEL", "offline")
    TEXT_FALLBACKS: list[str] = _env.list("TEXT_FALLBACKS", ["offline"])
    IMAGE_MODELS: list[str] = _env.list("IMAGE_MODELS", ["offline"], validate=validate.Length(min=1, max=5))
    VIDEO_MODELS: list[str] = _env.list("VIDEO_MODELS", ["offline"], validate=validate.Length(min=1, max=5))
    SCRIPT_PIECE_CHARACTERS = _env.int("SCRIPT_PIECE_CHARACTERS", 30_000, validate=validate.Range(min=4000))
    AI_KEYS = {
        "anthropic": SecretStr(_env.str("ANTHROPIC_API_KEY", "")),
        "openai": SecretStr(_env.str("OPENAI_API_KEY", "")),
        "http": SecretStr(_env.str("AI_API_KEY", "")),
        "replicate": SecretStr(_env.str("REPLICATE_API_TOKEN", "")),
        "fal": SecretStr(_env.str("FAL_KEY", "")),
        "ark": SecretStr(_env.str("ARK_API_KEY", "")),
    }
    AI_SET: dict[str, dict[str, str]] = {
        "anthropic": {
            "base_url": _env.str("ANTHROPIC_BASE_URL", ""),
            "text_model": _env.str("ANTHROPIC_TEXT_MODEL", ""),
        },
        "openai": {
            "base_url": _env.str("OPENAI_BASE_URL", ""),
            "text_model": _env.str("OPENAI_TEXT_MODEL", ""),
            "image_model": _env.str("OPENAI_IMAGE_MODEL", ""),
            "video_model": _env.str("OPENAI_VIDEO_MODEL", ""),
        },
        "http": {
            "base_url": _env.str("AI_API_URL", ""),
            "image_model": _env.str("AI_IMAGE_MODEL", ""),
            "video_model": _env.str("AI_VIDEO_MODEL", ""),
        },
        "replicate": {
            "base_url": _env.str("REPLICATE_BASE_URL", ""),
            "image_model": _env.str("REPLICATE_IMAGE_MODEL", ""),
            "video_model": _env.str("REPLICATE_VIDEO_MODEL", ""),
        },
        "fal": {
            "base_url": _env.str("FAL_BASE_URL", ""),
            "image_model": _env.str("FAL_IMAGE_MODEL", ""),
            "video_model": _env.str("FAL_VIDEO_MODEL", ""),
        },
        "ark": {
            "base_url": _env.str("ARK_BASE_URL", ""),
            "image_model": _env.str("ARK_IMAGE_MODEL", ""),
            "video_model": _env.str("ARK_VIDEO_MODEL", ""),
        },
    }  # empty: as the service's own defaults have it
    AI_PRICES: Any = _env.json("AI_PRICES", {})  # prices by service/model, once they are checked
    AI_AT_ONCE: dict[str, int] = _env.dict("AI_AT_ONCE", {}, subcast_values=int)
    AI_PER_MINUTE: dict[str, int] = _env.dict("AI_PER_MINUTE", {}, subcast_values=int)
    AI_WAIT_SECONDS = _env.float("AI_WAIT_SECONDS", 60.0, validate=validate.Range(min=0))


def _check(name: str, why: Callable[[], object]) -> None:
    """Stop the program, by the variable's name, over a value that can't be right."""
    try:
        why()
    except (ValueError, KeyError, ImportError, dj_database_url.ParseError) as error:
        said = f"JOINTO_{name} can't be used: {error}"
        raise EnvValidationError(said, [said]) from error


def _watch_fits_lease() -> None:
    if JOB_WATCH_SECONDS * 3 > JOB_LEASE_SECONDS:
        raise ValueError("it must be at most a third of JOINTO_JOB_LEASE_SECONDS")


def _broker_has_a_transport() -> None:
    for url in BROKER_URL.split(";"):  # several stand in for each other
        if "://" not in url:  # which Celery would take for the name of a host with RabbitMQ
            raise ValueError(f"{url!r} is no address such as redis://127.0.0.1:6379/0")
        Connection(url).get_transport_cls()  # opens nothing


def _email_has_a_backend() -> None:
    if "EMAIL_BACKEND" not in EMAIL_URL:
        raise ValueError(f"it has to begin with one of {', '.join(f'{scheme}:' for scheme in dj_email_url.SCHEMES)}")


def _prices_are_numbers() -> None:
    wanted = 'an object such as {"openai/gpt-5": {"input": 1.25, "output": 10}}'
    if not isinstance(AI_PRICES, dict):
        raise ValueError(f"it has to be {wanted}")
    for name, prices in AI_PRICES.items():
        if not isinstance(prices, dict) or set(prices) - {"input", "output", "image", "second"}:
            raise ValueError(f"{name}: input, output, image or second is wanted; it has to be {wanted}")
        if any(isinstance(price, bool) or not isinstance(price, int | float) or price < 0 for price in prices.values()):
            raise ValueError(f"{name}: a price is a number of dollars")


def _limits_of_providers() -> None:
    for limits in (AI_AT_ONCE, AI_PER_MINUTE):
        if unknown := sorted(set(limits) - set(AI_KEYS)):
            raise ValueError(f"there is no AI service called {unknown[0]}; there are {', '.join(AI_KEYS)}")
        if min(limits.values(), default=1) < 1:
            raise ValueError("a limit is at least 1")


_check("TIME_ZONE", lambda: ZoneInfo(TIME_ZONE))
_check("DATABASE_URL", lambda: dj_database_url.parse(DATABASE_URL))
_check("BROKER_URL", _broker_has_a_transport)
_check("EMAIL_URL", _email_has_a_backend)
_check("JOB_WATCH_SECONDS", _watch_fits_lease)
_check("AI_PRICES", _prices_are_numbers)
_check("AI_AT_ONCE and JOINTO_AI_PER_MINUTE", _limits_of_providers)


def secret_key() -> str:
    """The key from the environment, else one made once and kept beside the data, readable by us alone."""
    if SECRET_KEY:
        return SECRET_KEY
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        # Written whole under another name first: a second process that starts now must not read half a key.
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
