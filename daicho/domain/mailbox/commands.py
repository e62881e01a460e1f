"""Put a mail into the outbox, in the transaction of the act that causes it."""

from __future__ import annotations

from typing import Any

from daicho.domain.mailbox.models import Mail


def post_mail(
    template: str,
    *,
    to: str,
    to_name: str = "",
    language: str = "ja",
    time_zone: str = "Asia/Tokyo",
    once: str | None = None,
    **context: Any,
) -> Mail:
    """Queue one mail. `template` names a pair of texts in interfaces/mail; `context` holds plain JSON values.

    `once`: a key that is mailed only once; a second call returns the first mail.
    """
    if once is not None:
        found = Mail.objects.filter(once=once).first()
        if found is not None:
            return found
    return Mail.objects.create(
        template=template, to=to, to_name=to_name, language=language, time_zone=time_zone, once=once, context=context
    )
