"""The pattern library: only where pages are built (DEBUG) and in tests."""

from django.conf import settings
from django.urls import URLPattern, path

from daicho.interfaces.portal.views import patterns

urlpatterns: list[URLPattern] = (
    [
        path("_patterns/", patterns.parts, name="patterns"),
        path("_patterns/list/", patterns.sample_list, name="patterns-list"),
        path("_patterns/options/", patterns.options, name="patterns-options"),
    ]
    if settings.DEBUG or getattr(settings, "PATTERNS", False)
    else []
)
