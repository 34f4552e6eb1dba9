"""Django with Celery and django-celery-results, as their documentation sets them up; of Jointo only how SQLite is used.

Without that, SQLite gives "database is locked" with two processes that write.
"""

from __future__ import annotations

import os

import dj_database_url

from jointo import settings as jointo

SECRET_KEY = jointo.SECRET_KEY
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_celery_results"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {**dj_database_url.parse(os.environ["BENCH_DATABASE_URL"])}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = jointo.DATABASES["default"]["OPTIONS"]
USE_TZ = True

CELERY_BROKER_URL = os.environ["BENCH_BROKER_URL"]
CELERY_RESULT_BACKEND = "django-db"
