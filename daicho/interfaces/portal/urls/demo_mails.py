from django.urls import path

from daicho.interfaces.portal.views import demo_mails

urlpatterns = [
    path("demo/mails/", demo_mails.listing, name="demo_mails-list"),
    path("demo/mails/<str:uid>/", demo_mails.show, name="demo_mails-show"),
]
