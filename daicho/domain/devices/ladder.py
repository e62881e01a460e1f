"""May it? The codes that an instance may hear, in the order in which they are judged: this one place (docs/device-protocol.md).

The first that holds is the answer. What concerns one license stands in its line and refuses that line alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


@dataclass(frozen=True, slots=True)
class Rung:
    """`meaning`: for the customer, what it is and what to do."""

    code: str
    status: int
    meaning: Promise


WHO_ASKS: Final = (
    Rung("unsupported_protocol", 404, _("The device speaks another version of the protocol. Update its agent.")),
    Rung("malformed", 400, _("The request cannot be read: a fault in the device's program. Update its agent.")),
    Rung("unknown_instance", 401, _("No instance is known by this identity. Register the device again.")),
    Rung("bad_signature", 401, _("The request was signed by another key. Register the device again.")),
    Rung("clock_skew", 401, _("The device's clock is more than an hour off. The agent corrects itself by our time.")),
)
"""Before an instance is known to be itself."""

REGISTER: Final = (
    Rung("unknown_token", 401, _("There is no such registration token. Copy it again.")),
    Rung("token_revoked", 403, _("The registration token was revoked. Issue another one.")),
    Rung("token_expired", 403, _("The registration token has expired. Issue another one.")),
    Rung("token_used_up", 403, _("As many devices as allowed have registered with the token. Issue another one.")),
    Rung("account_suspended", 403, _("The account is suspended or closed. Ask the support desk.")),
    Rung("instance_replaced", 410, _("Another device has taken its place. It stays off.")),
)
"""Of a registration, after that."""

INSTANCE: Final = (
    Rung("instance_removed", 410, _("The device was removed. Register it again with a token.")),
    Rung("instance_replaced", 410, _("Another device has taken its place. It stays off.")),
    Rung("certificate_expired", 403, _("The certificate has ended. The agent renews it by itself.")),
    Rung("account_suspended", 403, _("The account is suspended or closed. Ask the support desk.")),
    Rung(
        "sequence_used",
        409,
        _(
            "Two devices use this identity (a cloned image): register the copy again. One that was only set back goes on by: daicho-agent renew --resume."
        ),
    ),
    Rung("too_many_lines", 422, _("The device asks for more than 1,000 licenses at once.")),
    Rung("tag_twice", 422, _("The device names a license twice.")),
)
"""Of an instance that is itself."""

LINE: Final = (
    Rung("unknown_tag", 200, _("This license is not in the catalog.")),
    Rung(
        "export_not_allowed",
        200,
        _("The token did not allow export-controlled licenses. Register again with one that does."),
    ),
    Rung("bad_quantity", 200, _("The quantity cannot be counted.")),
    Rung("not_enough_licenses", 200, _("This license may not be used beyond what is there. Transfer some here.")),
)
"""Of one license that an instance asks for."""

RUNGS: Final = {rung.code: rung for rung in (*WHO_ASKS, *REGISTER, *INSTANCE, *LINE)}


def refuse(code: str, **data: object) -> BusinessError:
    """The refusal of this code; its text is what the customer is told."""
    rung = RUNGS[code]
    return BusinessError(rung.code, rung.status, rung.meaning, **data)
