"""Who opens accounts: Hana and her colleague Ken at a company without one, Rin whose address does not match."""

from __future__ import annotations

from typing import Any

from daicho.core.actor import Actor, ActorKind
from daicho.domain.access.models import User
from daicho.domain.accounts.commands.opening import continue_opening, save_step, start_opening
from daicho.domain.accounts.models import Opening
from daicho.domain.mailbox.models import Mail
from tests.world import actor, make_user

IDENTIFIER = "sample.example.jp"
ADDRESS = {"country": "JP", "postal_code": "100-0001", "street": "1-1", "phone": "03-0000-0000"}
VISITOR = Actor(ActorKind.ANONYMOUS, "", address="192.0.2.9")


def hana() -> User:
    return make_user("hana@sample.example.jp", "Hana Sato")


def ken() -> User:
    return make_user("ken@tokyo.sample.example.jp", "Ken Ito")


def rin() -> User:
    return make_user("rin@parent.example.com", "Rin Abe")


def drafted(user: User, *, identifier: str = IDENTIFIER, approver: str = "", **address: Any) -> Opening:
    """A request with every step filled in, not yet continued."""
    opening = start_opening(actor(user))
    own = {
        "is_representative": not approver,
        "approver_email": approver,
        "approver_name": "Approver" if approver else "",
    }
    save_step(actor(user), opening_uid=opening.uid, step=2, values=own)
    named = {"identifier": identifier, "account_name": "Sample Inc."}
    save_step(actor(user), opening_uid=opening.uid, step=3, values=named)
    return save_step(actor(user), opening_uid=opening.uid, step=4, values=ADDRESS | address)


def continued(user: User, **fields: Any) -> Opening:
    opening = drafted(user, **fields)
    return continue_opening(actor(user), opening_uid=opening.uid)


def last_mail(to: str, template: str = "") -> Mail:
    found = Mail.objects.filter(to=to)
    return found.filter(**({"template": template} if template else {})).latest("pk")


def secret_for(to: str) -> str:
    """The secret of the link in the newest mail with one."""
    for mail in Mail.objects.filter(to=to).order_by("-pk"):
        if "secret" in mail.context:
            return str(mail.context["secret"])
    raise LookupError(to)
