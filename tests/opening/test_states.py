"""The table of states is the whole truth: every act in every state either leads where the table says or is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daicho.core.errors import BusinessError
from daicho.domain.access.models import User
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands import decisions, opening
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.models import Opening
from tests.opening import cast
from tests.world import actor, make_user

STATES = [state.value for state in Opening.State]


def reach(state: str) -> Opening:
    """A request in this state, brought there by the acts themselves."""
    hana = cast.hana()
    approver = make_user("boss@sample.example.jp", "Boss")
    if state == rules.DRAFT:
        return cast.drafted(hana)
    if state == rules.HELD:
        return cast.continued(hana, identifier="other.example.com")
    if state == rules.AWAITING_APPROVER:
        return cast.continued(hana, approver=approver.email)
    found = cast.continued(hana)
    if state == rules.ACTIVE:
        activate_account(cast.VISITOR, secret=cast.secret_for(hana.email))
    if state == rules.DECLINED:
        decisions.decline_opening(actor(staff()), opening_uid=found.uid, reason="not a company")
    if state == rules.LAPSED:
        opening.withdraw_opening(actor(hana), opening_uid=found.uid)
    found.refresh_from_db()
    return found


def staff() -> User:
    return User.objects.filter(is_operator=True).first() or make_user("op@vendor.example", "Op", is_operator=True)


def by_requester(command: Callable[..., Any], **fields: Any) -> Callable[[Opening], Any]:
    return lambda found: command(actor(found.requester), opening_uid=found.uid, **fields)


def by_operator(command: Callable[..., Any], **fields: Any) -> Callable[[Opening], Any]:
    return lambda found: command(actor(staff()), opening_uid=found.uid, **fields)


def by_link(command: Callable[..., Any], who: str = "", **fields: Any) -> Callable[[Opening], Any]:
    def act(found: Opening) -> Any:
        try:
            secret = cast.secret_for(found.approver_email or found.requester.email)
        except LookupError:
            secret = "none"
        person = actor(User.objects.get(email=who)) if who else cast.VISITOR
        return command(person, secret=secret, **fields)

    return act


ACTS: dict[str, Callable[[Opening], Any]] = {
    "save": by_requester(opening.save_step, step=2, values={"is_representative": True}),
    "continue": by_requester(opening.continue_opening),
    "ask": by_operator(decisions.ask_opening_reason, question="Why?"),
    "answer": by_link(opening.answer_reason, answer="It is our brand."),
    "approve": by_operator(decisions.approve_held_opening),
    "approver_approves": by_link(decisions.approve_as_approver, "boss@sample.example.jp"),
    "approver_declines": by_link(decisions.decline_as_approver, reason="no"),
    "activate": by_link(activate_account),
    "decline": by_operator(decisions.decline_opening, reason="no"),
    "withdraw": by_requester(opening.withdraw_opening),
}


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", STATES)
def test_an_act_leads_where_the_table_says_or_is_refused(state: str, act: str) -> None:
    found = reach(state)
    assert found.state == state
    before = Opening.objects.filter(pk=found.pk).values().get()
    if state in rules.ACTS[act].from_states:
        ACTS[act](found)
        found.refresh_from_db()
        assert found.state in rules.ACTS[act].to_states
        return
    with pytest.raises(BusinessError) as refused:
        ACTS[act](found)
    assert refused.value.code in {"opening_not_in_state", "link_unusable"}
    assert Opening.objects.filter(pk=found.pk).values().get() == before


def test_nothing_leads_out_of_an_end() -> None:
    for act in rules.ACTS.values():
        assert not act.from_states & {rules.ACTIVE, rules.DECLINED, rules.LAPSED}


def test_declined_and_lapsed_are_reached_from_every_state_before_active() -> None:
    assert rules.ACTS["decline"].from_states == rules.ACTS["lapse"].from_states == rules.BEFORE_ACTIVE
