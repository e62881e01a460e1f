"""What happens by the clock: reminders at half time, lapse 30 days after the last step."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.commands.due_openings import run_due_openings
from daicho.domain.accounts.commands.opening import answer_reason
from daicho.domain.mailbox.models import Mail
from daicho.domain.tenancy.models import SmartAccount
from tests.opening import cast

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("fields", "template", "days"),
    [
        ({}, "opening_activation", 7),
        ({"approver": "boss@sample.example.jp"}, "opening_approver", 14),
        ({"identifier": "other.example.com"}, "opening_reason", 14),
    ],
)
def test_a_link_is_reminded_of_once_at_half_time_and_keeps_its_end(fields, template, days) -> None:
    with time_machine.travel(START, tick=False) as clock:
        cast.continued(cast.hana(), **fields)
        ends = Mail.objects.get(template=template).context["expires_at"]
        assert ends == (START + dt.timedelta(days=days)).isoformat()
        clock.shift(dt.timedelta(days=days / 2, seconds=-1))
        assert run_due_openings() == 0
        clock.shift(dt.timedelta(seconds=1))
        assert run_due_openings() == 1
        assert run_due_openings() == 0
        reminder = Mail.objects.filter(template=template).latest("pk")
        assert reminder.context["reminder"]
        assert reminder.context["expires_at"] == ends


def test_a_request_lapses_30_days_after_its_last_step_and_frees_the_identifier() -> None:
    with time_machine.travel(START, tick=False) as clock:
        hana = cast.hana()
        opening = cast.continued(hana)
        clock.shift(dt.timedelta(days=29, hours=23))
        run_due_openings()
        opening.refresh_from_db()
        assert opening.state == "awaiting_activation"
        clock.shift(dt.timedelta(hours=1))
        assert run_due_openings() == 1
        opening.refresh_from_db()
        assert opening.state == "lapsed"
        assert SmartAccount.objects.get().state == "released"
        assert cast.last_mail(hana.email).template == "opening_lapsed"
        assert cast.continued(hana).state == "awaiting_activation"


def test_an_answer_is_a_step_that_starts_the_30_days_again() -> None:
    with time_machine.travel(START, tick=False) as clock:
        rin = cast.rin()
        opening = cast.continued(rin)
        clock.shift(dt.timedelta(days=10))
        answer_reason(cast.VISITOR, secret=cast.secret_for(rin.email), answer="Ours.")
        clock.shift(dt.timedelta(days=25))
        run_due_openings()
        opening.refresh_from_db()
        assert opening.state == "held"
        clock.shift(dt.timedelta(days=5))
        run_due_openings()
        opening.refresh_from_db()
        assert opening.state == "lapsed"


def test_a_forgotten_draft_lapses_without_a_mail_and_an_active_account_never_does() -> None:
    with time_machine.travel(START, tick=False) as clock:
        hana = cast.hana()
        cast.continued(hana)
        activate_account(cast.VISITOR, secret=cast.secret_for(hana.email))
        draft = cast.drafted(cast.rin())
        mails = Mail.objects.count()
        clock.shift(dt.timedelta(days=400))
        assert run_due_openings() == 1
        draft.refresh_from_db()
        assert draft.state == "lapsed"
        assert SmartAccount.objects.get().state == "active"
        assert Mail.objects.count() == mails
