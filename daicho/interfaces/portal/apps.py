"""The portal: the pages that people use."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "daicho.interfaces.portal"
    label = "portal"
