"""Every address that Jointo answers."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from jointo import health
from jointo.metrics import metrics
from jointo.schema import SchemaView

urlpatterns = [
    path("api/auth/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/auth/token/refresh/", TokenRefreshView.as_view(), name="token-refresh"),
    path("api/", include("jobs.api.urls")),
    path("api/", include("videos.api.urls")),
    path("api/", include("assets.api.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("health/", health.alive, name="health"),
    path("ready/", health.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("assets.urls")),
    path("", include("videos.urls")),
]

admin.site.site_header = admin.site.site_title = "Jointo"
admin.site.index_title = _("Operations")

handler400 = "jointo.errors.bad_request"
handler403 = "jointo.errors.permission_denied"
handler404 = "jointo.errors.not_found"
handler500 = "jointo.errors.server_error"
