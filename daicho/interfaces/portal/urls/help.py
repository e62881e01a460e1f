"""Help."""

from django.urls import path

from daicho.interfaces.portal.views import help as views

urlpatterns = [
    path("help/", views.index, name="help-index"),
    path("help/tour/", views.tour, name="help-tour"),
    path("help/<str:topic>/", views.topic, name="help-topic"),
]
