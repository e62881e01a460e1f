"""The account's own settings; they concern the whole account."""

from django.urls import path

from daicho.interfaces.portal.views import account_settings

urlpatterns = [path("a/<str:identifier>/settings/", account_settings.page, name="account-settings")]
