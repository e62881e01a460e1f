from django.urls import path

from daicho.interfaces.api.main import api

urlpatterns = [path("", api.urls)]
