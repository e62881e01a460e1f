"""The account agreement; it concerns the whole account."""

from django.urls import path, re_path

from daicho.interfaces.portal.views import agreements

urlpatterns = [
    path("a/<str:identifier>/agreements/", agreements.listing, name="agreements-list"),
    path("a/<str:identifier>/agreements/<str:uid>/", agreements.text, name="agreements-text"),
    re_path(
        r"^a/(?P<identifier>[^/]+)/agreements/(?P<uid>[^/]+)/agreement\.(?P<file_format>pdf|txt)$",
        agreements.download,
        name="agreements-download",
    ),
]
