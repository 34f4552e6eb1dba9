"""Wires everything together: settings, Celery, URLs, the shape of errors, health. Nothing imports it."""

from jointo.celery import app as celery_app

__all__ = ["celery_app"]
