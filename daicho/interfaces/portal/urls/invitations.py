"""The page behind the link of an invitation."""

from django.urls import path

from daicho.interfaces.portal.views import invitations

urlpatterns = [path("invitation/<str:secret>/", invitations.invitation, name="invitations-offer")]
