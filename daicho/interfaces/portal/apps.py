"""The portal: the pages that people use."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "daicho.interfaces.portal"
    label = "portal"

    def ready(self) -> None:
        from daicho.interfaces.portal.account_events import listen

        listen()
