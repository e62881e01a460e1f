from django.apps import AppConfig


class ContinuityConfig(AppConfig):
    name = "daicho.domain.continuity"
    label = "continuity"
    default_auto_field = "django.db.models.BigAutoField"
