"""The settings as an application, so that their system checks run on every start."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "daicho.config"
    label = "config"

    def ready(self) -> None:
        from daicho.config import checks  # noqa: F401  registers itself
