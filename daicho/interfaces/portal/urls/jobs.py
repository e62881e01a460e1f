"""Jobs in an account, at a partner's desk and at the operator's."""

from django.urls import path

from daicho.interfaces.portal.views import jobs

PLACES = (("account", "a/<str:identifier>/"), ("partner", "partner/<str:company>/"), ("operator", "operator/"))
PAGES = (
    ("jobs/", jobs.jobs, "list"),
    ("jobs/<str:uid>/", jobs.detail, "detail"),
    ("jobs/<str:uid>/cancel/", jobs.cancel, "cancel"),
    ("jobs/<str:uid>/result/", jobs.result, "result"),
    ("jobs/<str:uid>/refused.csv", jobs.refused, "refused"),
)

urlpatterns = [
    path(f"{at}{route}", jobs.everywhere(view)[place], name=f"{jobs.AREAS[place]}-{page}")
    for place, at in PLACES
    for route, view, page in PAGES
]
