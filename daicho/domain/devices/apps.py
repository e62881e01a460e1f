from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "daicho.domain.devices"
    label = "devices"
    default_auto_field = "django.db.models.BigAutoField"
