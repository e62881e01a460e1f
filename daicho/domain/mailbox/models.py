"""The outbox of mails: written in the act's transaction, sent by the worker, retried with growing pauses."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row


class Mail(Row):
    """A mail that is due: what to say (template + context) and to whom. It is rendered when it is sent.

    `context` may hold a link's secret; it is emptied once the mail is sent. `rendered` is kept only in the demo.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    to = models.EmailField(max_length=254)
    to_name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=5, default="ja")
    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    template = models.CharField(max_length=64)
    context = models.JSONField(default=dict)
    once = models.CharField(max_length=120, null=True, blank=True, unique=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=now)
    held_until = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    rendered = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="mail_due")]

    @property
    def shown(self) -> dict[str, str]:
        """The rendered mail, kept in the demonstration; empty elsewhere."""
        return self.rendered or {"subject": "", "text": "", "html": ""}
