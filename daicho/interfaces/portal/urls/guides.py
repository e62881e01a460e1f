"""The operator's guides."""

from django.urls import path

from daicho.interfaces.portal.views import guides

urlpatterns = [
    path("operator/guides/", guides.manage, name="guides-manage"),
    path("operator/guides/add/", guides.edit, name="guides-add"),
    path("operator/guides/<str:uid>/", guides.edit, name="guides-edit"),
    path("operator/guides/<str:uid>/remove/", guides.remove, name="guides-remove"),
]
