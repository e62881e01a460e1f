"""The portal with its pattern library, which production does not serve."""

from django.urls import include, path

from daicho.interfaces.portal.urls import language, patterns

urlpatterns = [*patterns.pages, *language.urlpatterns, path("account/", include("allauth.urls"))]
