"""Jointo's Celery application, with the kinds of job that only tests need."""

from jointo.celery import app

app.conf.include = ["tests.kinds"]
