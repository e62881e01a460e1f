"""The pattern library: only where pages are built (DEBUG); tests mount `pages` themselves."""

from django.conf import settings
from django.urls import URLPattern, path

from daicho.interfaces.portal.views import patterns

pages = [
    path("_patterns/", patterns.parts, name="patterns"),
    path("_patterns/list/", patterns.sample_list, name="patterns-list"),
    path("_patterns/options/", patterns.options, name="patterns-options"),
]
urlpatterns: list[URLPattern] = pages if settings.DEBUG else []
