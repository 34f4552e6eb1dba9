"""Django's settings. What varies between installations comes from jointo/env.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import dj_database_url
import django_stubs_ext
from django.utils.translation import gettext_lazy as _

from assets.conf import AssetSettings, Limit
from assets.providers.settings import DEFAULTS, Downloading, Price, ProviderSettings
from jobs.conf import JobSettings
from jointo import env, logs
from videos.conf import DraftSettings, VideoSettings

django_stubs_ext.monkeypatch()  # ModelAdmin[Job] and the like, at run time

BASE_DIR = env.BASE_DIR
DATA_DIR = env.DATA_DIR
DEBUG = env.DEBUG
SECRET_KEY = env.secret_key()
ALLOWED_HOSTS = env.ALLOWED_HOSTS
ROOT_URLCONF = "jointo.urls"
ASGI_APPLICATION = "jointo.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_celery_results",
    "jobs",
    "videos",
    "assets",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "jointo.limits.announce_length",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- the database ----------------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    settings: dict[str, Any] = {**dj_database_url.parse(env.DATABASE_URL)}
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        # Writers queue up instead of failing with "database is locked", and a commit that was answered
        # survives a loss of power. docs/decisions/0003 has the figures.
        settings["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        }
    return settings


DATABASES = {"default": _database()}

# -- people ----------------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "library"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
_https = env.PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [env.PUBLIC_URL] if env.PUBLIC_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 3600 if _https else 0
X_FRAME_OPTIONS = "DENY"

# -- words and times -------------------------------------------------------------------------------------

LANGUAGE_CODE = env.LANGUAGE
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.TIME_ZONE
USE_TZ = True

# -- files -----------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"  # published files; nothing in it is ever half written
MEDIA_URL = "/media/"
UPLOADS_DIR = DATA_DIR / "uploads"  # unfinished uploads; the same file system as MEDIA_ROOT
SCRATCH_DIR = DATA_DIR / "scratch"  # one private folder for each running attempt; the same again
PARTS_DIR = DATA_DIR / "parts"  # of films, as they were encoded: may be lost at any time

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/hls.js", BASE_DIR / "node_modules/hls.js/dist"),
    ("vendor/uplot", BASE_DIR / "node_modules/uplot/dist"),
    ("vendor/hash-wasm", BASE_DIR / "node_modules/hash-wasm/dist"),
]

# A chunk is kept in memory while it arrives and written once, where Django would spool it to disk first.
# jointo.limits cuts off larger bodies. docs/decisions/0004.
REQUEST_MAX_BYTES = env.UPLOAD_CHUNK_BYTES + 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = REQUEST_MAX_BYTES
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_MAX_BYTES

# -- Celery ----------------------------------------------------------------------------------------------
# Celery carries, the row is the truth: docs/decisions/0001.

CELERY_BROKER_URL = env.BROKER_URL
CELERY_RESULT_BACKEND = "jobs.backend:JobBackend"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = None  # our own clean-up, in small batches, instead of Celery's, which loads all
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {
    name: {} for name in ("ai", "media", "export", "assets", "maintenance")
}
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ACKS_LATE = False  # what is lost is sent again; a late ack makes workers stop (celery 5.7.0)
CELERY_TASK_TRACK_STARTED = True
CELERY_WORKER_CONSUMER = "jobs.worker:Consumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False  # `celery worker -E` sends them, for Flower
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
# Whoever submits a job must not wait for a broker that is away or hangs: the job waits in the database.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "interval_start": 0, "interval_max": 0.1}
if env.BROKER_URL.startswith(("redis", "unix", "sentinel")):
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_connect_timeout": 1, "socket_timeout": 3}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULER = "jobs.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
DJANGO_CELERY_BEAT_TZ_AWARE = True

# -- jobs ------------------------------------------------------------------------------------------------

JOINTO_JOBS = JobSettings(
    lease=timedelta(seconds=env.JOB_LEASE_SECONDS),
    watch=timedelta(seconds=env.JOB_WATCH_SECONDS),
    resend=timedelta(seconds=env.JOB_RESEND_SECONDS),
    stop_grace=timedelta(seconds=env.JOB_STOP_GRACE_SECONDS),
    pulse=timedelta(seconds=env.WORKER_PULSE_SECONDS),
    events_poll=timedelta(seconds=env.EVENTS_POLL_SECONDS),
    tick=timedelta(seconds=env.JOB_TICK_SECONDS),
    aging=timedelta(seconds=env.JOB_AGING_SECONDS),
    max_crashes=env.JOB_MAX_CRASHES,
    keep_results=timedelta(hours=env.KEEP_RESULTS_HOURS),
    keep_jobs=timedelta(days=env.KEEP_JOBS_DAYS),
    keep_dead_letters=timedelta(days=env.KEEP_DEAD_LETTERS_DAYS),
    keep_statistics=timedelta(days=env.KEEP_STATISTICS_DAYS),
    operator_emails=tuple(env.OPERATOR_EMAILS),
    operator_webhook_url=env.OPERATOR_WEBHOOK_URL,
    operator_webhook_secret=env.OPERATOR_WEBHOOK_SECRET,
    alert_pause=timedelta(seconds=env.ALERT_PAUSE_SECONDS),
    webhook_timeout=timedelta(seconds=env.WEBHOOK_TIMEOUT_SECONDS),
    inner_hosts=tuple(env.INNER_HOSTS),
    metrics_token=env.METRICS_TOKEN,
    public_url=env.PUBLIC_URL,
)

# -- videos ----------------------------------------------------------------------------------------------

JOINTO_VIDEOS = VideoSettings(
    chunk_bytes=env.UPLOAD_CHUNK_BYTES,
    max_bytes=env.UPLOAD_MAX_BYTES,
    token=timedelta(seconds=env.UPLOAD_TOKEN_SECONDS),
    keep_uploads=timedelta(hours=env.KEEP_UPLOADS_HOURS),
    keep_deleted=timedelta(days=env.KEEP_DELETED_VIDEOS_DAYS),
    keep_parts=timedelta(days=env.KEEP_PARTS_DAYS),
    parts_bytes=env.PARTS_MAX_BYTES,
    max_seconds=env.VIDEO_MAX_SECONDS,
    max_pixels=env.VIDEO_MAX_PIXELS,
    threads=env.FFMPEG_THREADS,
)

JOINTO_DRAFTS = DraftSettings(
    processors=tuple(env.DRAFT_PROCESSORS),
    url=env.DRAFT_URL,
    max_bytes=env.DRAFT_MAX_BYTES,
    document_bytes=env.DRAFT_DOCUMENT_BYTES,
    media_bytes=env.DRAFT_MEDIA_BYTES,
    entries=env.DRAFT_ZIP_ENTRIES,
    ratio=env.DRAFT_ZIP_RATIO,
    fetch=timedelta(seconds=env.DRAFT_FETCH_SECONDS),
)

# -- assets ----------------------------------------------------------------------------------------------

JOINTO_ASSETS = AssetSettings(
    script_bytes=env.SCRIPT_MAX_BYTES,
    model=env.TEXT_MODEL,
    fallbacks=tuple(env.TEXT_FALLBACKS),
    image_order=tuple(env.IMAGE_MODELS),
    video_order=tuple(env.VIDEO_MODELS),
    piece_characters=env.SCRIPT_PIECE_CHARACTERS,
    limits={
        name: Limit(at_once=env.AI_AT_ONCE.get(name), per_minute=env.AI_PER_MINUTE.get(name)) for name in env.AI_KEYS
    },
    call=timedelta(seconds=300),  # longer than a model may take to answer
    wait=timedelta(seconds=env.AI_WAIT_SECONDS),
)

JOINTO_PROVIDERS = ProviderSettings(
    endpoints={
        name: replace(
            endpoint, key=env.AI_KEYS[name], **{what: said for what, said in env.AI_SET[name].items() if said}
        )
        for name, endpoint in DEFAULTS.items()
    },
    prices={
        name: Price(**{what: Decimal(str(price)) for what, price in prices.items()})
        for name, prices in env.AI_PRICES.items()
    },
    downloading=Downloading(inner_hosts=tuple(env.INNER_HOSTS)),
    threads=env.FFMPEG_THREADS,
)

# -- e-mail ----------------------------------------------------------------------------------------------

EMAIL_BACKEND = env.EMAIL_URL["EMAIL_BACKEND"]
EMAIL_HOST = env.EMAIL_URL["EMAIL_HOST"]
EMAIL_PORT = env.EMAIL_URL["EMAIL_PORT"]
EMAIL_HOST_USER = env.EMAIL_URL["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = env.EMAIL_URL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = env.EMAIL_URL["EMAIL_USE_TLS"]
EMAIL_USE_SSL = env.EMAIL_URL["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.EMAIL_FROM

# -- the API ---------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["jobs.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_METADATA_CLASS": None,  # the schema tells more than OPTIONS does
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "jointo.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=env.ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=env.REFRESH_TOKEN_SECONDS),
    "UPDATE_LAST_LOGIN": False,
    "TOKEN_REFRESH_SERIALIZER": "jointo.sign_in.RefreshSerializer",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Jointo",
    "DESCRIPTION": "Video in, finished video out; every slow step is a durable job.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jointo.schema.tell_of_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatus": "jobs.models.JOB_STATUSES",
        "VideoStatus": "videos.models.VideoStatus.choices",
        "DeliveryStatus": "jobs.models.DeliveryStatus.choices",
        "FailurePolicy": "jobs.models.FailurePolicy.choices",
        "EpisodeStatus": "assets.models.EpisodeStatus.choices",
        "ExtractionStatus": "assets.models.ExtractionStatus.choices",
        "GenerationKind": "assets.models.GenerationKind.choices",
        "GenerationState": "assets.models.GenerationState.choices",
        "AssetKind": "assets.models.Kind.choices",
        "LikenessState": "assets.models.LikenessState.choices",
        "ExportFormat": "videos.orders.FORMATS",
        "ExportQuality": "videos.orders.QUALITIES",
        "DraftQuality": "videos.api.draft_serializers.QUALITIES",
        "ExportSource": "videos.orders.ORIGINS",
    },
}

# -- logs ------------------------------------------------------------------------------------------------

LOGGING = logs.configuration(style=env.LOG_FORMAT, level=env.LOG_LEVEL)
