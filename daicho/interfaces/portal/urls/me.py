"""A person's own settings."""

from django.urls import path

from daicho.interfaces.portal.views import me

urlpatterns = [
    path("me/", me.own_settings, name="me-settings"),
    path("me/sessions/", me.sessions, name="me-sessions"),
]
