"""The addresses of generated files."""

from __future__ import annotations

from django.conf import settings
from django.urls import re_path

from assets import serving

_GENERATED = (
    rf"^{settings.MEDIA_URL.strip('/')}/ai-generated/(?P<folder>images|videos)/(?P<name>[0-9a-f-]{{36}}\.(?:png|mp4))$"
)

urlpatterns = [re_path(_GENERATED, serving.generated, name="generated-file")]
