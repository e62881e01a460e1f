from django.urls import path

from daicho.interfaces.portal.views import language

urlpatterns = [path("language/", language.set_language, name="set_language")]
