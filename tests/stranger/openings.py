"""Openings of the victim's people in every state that a link or an act of the API needs."""

from __future__ import annotations

import datetime as dt
import uuid

from daicho.core.clock import now
from daicho.domain.access.models import PartnerCompany, PartnerMember
from daicho.domain.accounts.models import Agreement, Opening
from daicho.domain.ledger.models import Entry
from daicho.domain.orders.commands.assign import LinePart, assign_lines
from daicho.domain.orders.commands.record import record_order
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.domain.tenancy.models import SmartAccount
from tests.stranger.victim import Victim, link
from tests.world import make_account, make_tag, make_user

ADDRESS = {
    "postal_code": "100-0001", "region": "東京都", "city": "千代田区", "street": "千代田1-1", "phone": "03-1111-2222",
}  # fmt: skip


def add_openings_and_more(victim: Victim) -> None:
    """What the API's operations need beyond the pages' things."""
    world, ids, secrets = victim.world, victim.ids, victim.secrets
    newcomer = make_user("newcomer@aozora.example.co.jp", "Newcomer")
    named = make_user("boss@kawa.example.jp", "Boss")
    founder = make_user("founder@kawa.example.jp", "Founder")
    second = make_user("second@late-example.jp", "Second")
    first = make_user("first@late-example.jp", "First")
    invited = make_user(f"new@{world.account.identifier}", "Invited")
    victim.people |= {
        "newcomer_invited": invited,
        "newcomer": newcomer,
        "approver_named": named,
        "asker": victim.people["asker"],
    }

    def opening(identifier: str, state: str, secret: str = "", *, ended: bool = False, **fields: object) -> Opening:
        account = None
        if state.startswith("awaiting"):
            account = SmartAccount.objects.create(identifier=identifier, name=identifier)
        hashed = None
        if secret:
            secrets[secret], hashed = link()
        until = now() + dt.timedelta(days=-1 if ended else 6)  # a mail of yesterday: it may be sent again
        values = {
            "requester": founder, "identifier": identifier, "account_name": "Kawa", "state": state, "account": account,
            "is_representative": True, "link_hash": hashed, "link_expires_at": until, "step": 5,
        } | ADDRESS  # fmt: skip
        return Opening.objects.create(**(values | fields))

    opening(
        "reason.kawa.example.jp", "held", "reason", held_for=["requester_not_matching"], asked_at=now(), held_at=now()
    )
    opening(
        "boss.kawa.example.jp", "awaiting_approver", "approver", is_representative=False, approver_email=named.email,
        approver_name="Boss",
    )  # fmt: skip
    opening("active.kawa.example.jp", "awaiting_activation", "activation")
    ids["opening_waiting"] = opening("wait.kawa.example.jp", "awaiting_activation", "waiting").uid
    ids["opening_full"] = opening("kawa.example.jp", "draft", requester=founder).uid
    opening("late-example.jp", "awaiting_activation", "late", ended=True, requester=first)
    ids["opening_rival"] = opening("late-example.jp", "draft", requester=second).uid
    victim.people |= {"opening_full": founder, "opening_rival": second, "opening_waiting": founder}

    following = Agreement.objects.create(
        version=2, title_ja="合意書2", title_en="Agreement 2", text_ja="本文2", text_en="Text 2",
        effective_at=now() + dt.timedelta(days=30), published_by_name="Operator",
    )  # fmt: skip
    ids["agreement_next"] = following.uid
    suspended = make_account("suspended.example.jp", "Suspended")
    suspended.state = SmartAccount.State.SUSPENDED
    suspended.save()
    ids["identifier_suspended"] = suspended.identifier
    make_tag("LAD-1", "Ladder one")
    make_tag("LAD-2", "Ladder two")

    limited = PartnerCompany.objects.create(name="Limited K.K.", name_key="limited k.k.")
    PartnerMember.objects.create(company=limited, user=world.nobody)
    line = LineInput(sku="NET-ESS", quantity="11", kind="perpetual", virtual_account=world.tokyo.name)
    order = OrderInput(identifier=world.account.identifier, number="WAIT-1", lines=[line])
    record_order(world.as_(world.nobody), company=limited, order=order)
    ids["waiting_line"] = OrderLine.objects.get(order__number="WAIT-1").uid
    unassigned = OrderLine.objects.get(uid=ids["unassigned_line"])
    entry = assign_lines(
        world.as_(world.admin), account=world.account, request_id=uuid.uuid4(),
        parts=[LinePart(unassigned, world.tokyo, 2)],
    )  # fmt: skip
    ids["assignment"] = Entry.objects.get(pk=entry.pk).uid
