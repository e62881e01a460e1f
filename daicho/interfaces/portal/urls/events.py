from django.urls import path

from daicho.interfaces.portal.views import events
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("events/", events.event_list, "events-list"),
    *account_paths("events/verify/", events.verify, "events-verify"),
    *account_paths("events/<str:event>/", events.detail, "events-detail"),
    path("operator/events/", events.operator_list, name="events-operator"),
]
