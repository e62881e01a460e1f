"""What the operator does to a customer's licenses, told by mail to the account's administrators with the reason."""

from __future__ import annotations

from typing import Any

from daicho.domain.access.models import User
from daicho.domain.access.policy import live_grants
from daicho.domain.access.rules import Role
from daicho.domain.ledger.models import Entry
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount


def tell_administrators(account: SmartAccount, entry: Entry, **context: Any) -> None:
    """Post one mail to each administrator who can log in, in the act's transaction: sku, quantity, held, and what the act knows."""
    ids = live_grants().filter(account=account, role=Role.ACCOUNT_ADMINISTRATOR, user__isnull=False).values("user_id")
    for user in User.objects.filter(pk__in=ids).order_by("pk"):
        post_mail(
            "license_changed", act=entry.kind, to=user.email, to_name=user.name, language=user.language, time_zone=user.time_zone,
            identifier=account.identifier, account_name=account.name, entry=entry.uid, reason=entry.memo, **context,
        )  # fmt: skip
