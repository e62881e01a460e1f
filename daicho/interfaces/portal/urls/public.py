"""Pages for everybody."""

from django.urls import path, re_path

from daicho.interfaces.portal.views import public

urlpatterns = [
    path("", public.home, name="public-home"),
    path("guide/", public.guide, name="guide"),
    re_path(r"^guide/smart-account-guide\.(?P<language>ja|en)\.pdf$", public.guide_pdf, name="guide-pdf"),
]
