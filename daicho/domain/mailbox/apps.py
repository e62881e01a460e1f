from django.apps import AppConfig


class MailboxConfig(AppConfig):
    name = "daicho.domain.mailbox"
    label = "mailbox"
    default_auto_field = "django.db.models.BigAutoField"
