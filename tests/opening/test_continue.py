"""What "continue" leads to: a matching request takes the identifier, any other one is held (product.md, Opening)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.access.models import Grant, User
from daicho.domain.access.rules import Role
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.commands.decisions import (
    approve_as_approver,
    approve_held_opening,
    ask_opening_reason,
    decline_as_approver,
    decline_opening,
)
from daicho.domain.accounts.commands.opening import (
    answer_reason,
    continue_opening,
    keep_draft,
    resend_link,
    save_step,
    start_opening,
    take_over_opening,
    withdraw_opening,
)
from daicho.domain.accounts.models import KnownCustomer, Opening
from daicho.domain.accounts.queries_openings import company_accounts, identifier_standing, opening_by_link
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from tests.opening import cast
from tests.world import World, actor, make_account, make_user
from tests.world import grant as give

pytestmark = pytest.mark.django_db


def code_of(error: pytest.ExceptionInfo[BusinessError]) -> str:
    return error.value.code


def staff():
    return make_user("op@vendor.example.com", "Op", is_operator=True)


def test_a_matching_request_takes_the_identifier_and_gets_the_link_at_once() -> None:
    hana = cast.hana()
    opening = cast.continued(hana)
    assert opening.state == "awaiting_activation"
    account = SmartAccount.objects.get()
    assert (account.state, account.identifier, account.region) == ("provisional", cast.IDENTIFIER, "東京都")
    mail = cast.last_mail(hana.email)
    assert mail.template == "opening_activation"
    assert mail.context["secret"] not in str(Opening.objects.values().get())


def test_a_mail_domain_below_the_identifier_matches() -> None:
    assert cast.continued(cast.ken()).state == "awaiting_activation"


def test_activation_gives_the_requester_the_account_with_default_in_his_countrys_zone() -> None:
    hana = cast.hana()
    cast.continued(hana, country="DE", postal_code="10115", city="Berlin")
    account = activate_account(cast.VISITOR, secret=cast.secret_for(hana.email))
    assert (account.state, account.time_zone) == ("active", "Europe/Berlin")
    default = VirtualAccount.objects.get(account=account)
    assert (default.name, default.is_default, default.visibility, default.path) == (
        "DEFAULT", True, "public", f"/{default.pk}/",
    )  # fmt: skip
    grant = Grant.objects.get()
    assert (grant.user, grant.role, grant.ends_at) == (hana, Role.ACCOUNT_ADMINISTRATOR, None)
    kinds = set(Event.objects.filter(account=account).values_list("kind", flat=True))
    assert kinds >= {"account.activated", "virtual_account.created", "grant.given", "opening.provisional"}


def test_a_link_works_once_and_looking_changes_nothing() -> None:
    hana = cast.hana()
    cast.continued(hana)
    secret = cast.secret_for(hana.email)
    for _ in range(3):
        opening_by_link(secret, "awaiting_activation")
    activate_account(cast.VISITOR, secret=secret)
    with pytest.raises(BusinessError) as refused:
        activate_account(cast.VISITOR, secret=secret)
    assert code_of(refused) == "link_unusable"


def test_an_activation_link_ends_after_seven_days_and_can_be_sent_again() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 1, tzinfo=dt.UTC), tick=False) as clock:
        hana = cast.hana()
        opening = cast.continued(hana)
        old = cast.secret_for(hana.email)
        with pytest.raises(BusinessError) as refused:
            resend_link(actor(hana), opening_uid=opening.uid)
        assert code_of(refused) == "link_just_sent"
        clock.shift(dt.timedelta(days=7))
        with pytest.raises(BusinessError):
            activate_account(cast.VISITOR, secret=old)
        resend_link(actor(hana), opening_uid=opening.uid)
        assert activate_account(cast.VISITOR, secret=cast.secret_for(hana.email)).state == "active"


def test_the_named_approver_decides_and_becomes_approver() -> None:
    hana, boss = cast.hana(), make_user("boss@sample.example.jp", "Boss")
    opening = cast.continued(hana, approver=boss.email)
    assert opening.state == "awaiting_approver"
    secret = cast.secret_for(boss.email)
    for wrong, code in ((cast.VISITOR, "sign_in_required"), (actor(hana), "not_the_approver")):
        with pytest.raises(BusinessError) as refused:
            approve_as_approver(wrong, secret=secret)
        assert code_of(refused) == code
    approve_as_approver(actor(boss), secret=secret)
    activate_account(cast.VISITOR, secret=cast.secret_for(hana.email))
    roles = dict(Grant.objects.values_list("user__email", "role"))
    assert roles == {hana.email: Role.ACCOUNT_ADMINISTRATOR, boss.email: Role.ACCOUNT_APPROVER}


def test_an_approver_who_declines_frees_the_identifier_and_says_why() -> None:
    hana = cast.hana()
    opening = cast.continued(hana, approver="boss@sample.example.jp")
    decline_as_approver(cast.VISITOR, secret=cast.secret_for("boss@sample.example.jp"), reason="not now")
    opening.refresh_from_db()
    assert opening.state == "declined"
    assert SmartAccount.objects.get().state == "released"
    assert cast.last_mail(hana.email).context["reason"] == "not now"
    assert cast.continued(cast.ken()).state == "awaiting_activation"


def test_the_approver_is_somebody_else() -> None:
    hana = cast.hana()
    opening = start_opening(actor(hana))
    values = {"is_representative": False, "approver_name": "Me", "approver_email": " HANA@ｓａｍｐｌｅ.example.jp "}
    with pytest.raises(FieldErrors) as refused:
        save_step(actor(hana), opening_uid=opening.uid, step=2, values=values)
    assert refused.value.errors["approver_email"].code == "approver_is_requester"


@pytest.mark.parametrize(
    ("who", "fields", "reasons"),
    [
        (cast.rin, {}, ["requester_not_matching"]),
        (cast.hana, {"identifier": "tokyo.sample.example.jp"}, ["requester_not_matching"]),
        (cast.hana, {"approver": "boss@elsewhere.example.com"}, ["approver_not_matching"]),
        (cast.rin, {"approver": "boss@sample.example.jp"}, ["requester_not_matching"]),
    ],
)
def test_what_does_not_match_is_held_and_asked_before_any_approver(who, fields, reasons) -> None:
    requester = who()
    opening = cast.continued(requester, **fields)
    assert (opening.state, opening.held_for) == ("held", reasons)
    assert not SmartAccount.objects.exists()
    assert set(Mail.objects.values_list("to", "template")) == {(requester.email, "opening_reason")}


def test_a_held_request_resumes_where_it_stopped_after_answer_and_approval() -> None:
    rin = cast.rin()
    opening = cast.continued(rin, approver="boss@sample.example.jp")
    answer_reason(cast.VISITOR, secret=cast.secret_for(rin.email), answer="It is our parent company.")
    approve_held_opening(actor(staff()), opening_uid=opening.uid)
    opening.refresh_from_db()
    assert opening.state == "awaiting_approver"
    assert cast.last_mail("boss@sample.example.jp").template == "opening_approver"


def test_the_operator_asks_again_and_the_old_answer_link_is_dead() -> None:
    rin = cast.rin()
    opening = cast.continued(rin)
    old = cast.secret_for(rin.email)
    ask_opening_reason(actor(staff()), opening_uid=opening.uid, question="Which company is it?")
    with pytest.raises(BusinessError):
        answer_reason(cast.VISITOR, secret=old, answer="x")
    assert cast.last_mail(rin.email).context["question"] == "Which company is it?"
    answer_reason(cast.VISITOR, secret=cast.secret_for(rin.email), answer="Sample.")
    with pytest.raises(BusinessError) as refused:
        resend_link(actor(rin), opening_uid=opening.uid)
    assert code_of(refused) == "opening_not_in_state"


def test_a_matching_request_goes_on_and_the_held_ones_are_declined_without_a_name() -> None:
    rin = cast.rin()
    held = cast.continued(rin)
    cast.continued(cast.hana())
    held.refresh_from_db()
    assert held.state == "declined"
    mail = cast.last_mail(rin.email)
    assert mail.template == "opening_declined"
    assert "Hana" not in str(mail.context)
    assert "hana" not in str(mail.context)


def test_a_taken_identifier_cannot_be_approved() -> None:
    rin = cast.rin()
    held = cast.continued(rin)
    make_account(cast.IDENTIFIER, "Sample")
    with pytest.raises(BusinessError) as refused:
        approve_held_opening(actor(staff()), opening_uid=held.uid)
    assert code_of(refused) == "domain_taken"
    held.refresh_from_db()
    assert held.state == "held"


def test_a_stranger_sees_the_same_whether_or_not_there_is_an_account() -> None:
    rin = cast.rin()
    free = cast.continued(rin, identifier="one.example.net")
    make_account("two.example.org", "Two")
    taken = cast.continued(rin, identifier="two.example.org")
    same = ("state", "held_for", "question", "step")
    assert [getattr(free, name) for name in same] == [getattr(taken, name) for name in same]
    contexts = [
        {
            k: v
            for k, v in mail.context.items()
            if k not in ("secret", "expires_at", "requested_at", "opening_uid", "identifier")
        }
        for mail in Mail.objects.order_by("pk")
    ]
    assert contexts[0] == contexts[1]
    draft = cast.drafted(rin, identifier="two.example.org")
    assert identifier_standing(actor(rin), draft.uid, "two.example.org").code == "held"
    assert company_accounts(actor(rin)) == []


def test_a_colleague_is_told_of_the_account_and_can_ask_for_access() -> None:
    account = make_account(cast.IDENTIFIER, "Sample")
    hana, ken = cast.hana(), cast.ken()
    give(hana, Role.ACCOUNT_ADMINISTRATOR, account)
    draft = cast.drafted(ken)
    assert identifier_standing(actor(ken), draft.uid, cast.IDENTIFIER).code == "taken"
    assert company_accounts(actor(ken))[0].administrators == ["Hana Sato"]
    with pytest.raises(BusinessError) as refused:
        continue_opening(actor(ken), opening_uid=draft.uid)
    assert code_of(refused) == "domain_taken"


def test_of_two_colleagues_the_second_sees_who_and_may_take_over_after_the_link_has_ended() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 1, tzinfo=dt.UTC), tick=False) as clock:
        hana, ken = cast.hana(), cast.ken()
        first = cast.continued(hana)
        second = cast.drafted(ken)
        for act in (continue_opening, take_over_opening):
            with pytest.raises(BusinessError) as refused:
                act(actor(ken), opening_uid=second.uid)
            assert code_of(refused) == "domain_being_opened"
            assert refused.value.data["by"] == "Hana Sato"
            assert refused.value.data["since"] == "2026-11-01T00:00:00+00:00"
            assert not refused.value.data["may_take_over"]
        clock.shift(dt.timedelta(days=7))
        assert identifier_standing(actor(ken), second.uid, cast.IDENTIFIER).may_take_over
        second = take_over_opening(actor(ken), opening_uid=second.uid)
        first.refresh_from_db()
        assert (first.state, second.state) == ("lapsed", "awaiting_activation")
        assert cast.last_mail(hana.email).template == "opening_taken_over"
        activate_account(cast.VISITOR, secret=cast.secret_for(ken.email))
        assert SmartAccount.objects.get(state="active").identifier == cast.IDENTIFIER


def test_a_sub_domain_beside_an_account_is_held_and_its_administrators_are_told(world: World) -> None:
    tom = make_user("tom@kawa.example.co.jp", "Tom")
    opening = cast.continued(tom, identifier="kawa.example.co.jp")
    assert (opening.state, opening.held_for) == ("held", ["subdomain_conflict"])
    told = Mail.objects.get(template="opening_subdomain")
    assert told.to == world.admin.email
    assert "tom" not in str(told.context).lower()
    assert Event.objects.get(kind="account.subdomain_requested").account == world.account


def test_a_sub_domain_without_neighbours_is_taken_and_a_registrable_domain_is_never_in_conflict(world: World) -> None:
    tom = make_user("tom@deep.sora.example.net", "Tom")
    assert cast.continued(tom, identifier="deep.sora.example.net").state == "awaiting_activation"
    eve = make_user("eve@example.co.jp", "Eve")
    assert cast.continued(eve, identifier="example.co.jp").state == "awaiting_activation"


def test_free_mail_cannot_even_start() -> None:
    with pytest.raises(BusinessError) as refused:
        start_opening(actor(make_user("hana@gmail.com", "Hana")))
    assert code_of(refused) == "free_mail_domain"


def test_a_person_has_three_open_requests_at_most() -> None:
    hana = cast.hana()
    uids = [start_opening(actor(hana)).uid for _ in range(3)]
    with pytest.raises(BusinessError) as refused:
        start_opening(actor(hana))
    assert code_of(refused) == "too_many_openings"
    withdraw_opening(actor(hana), opening_uid=uids[0])
    start_opening(actor(hana))


def test_a_domain_has_ten_held_requests_a_day_at_most() -> None:
    for number in range(10):
        asker = make_user(f"a{number}@asker{number}.example.com", "A")
        cast.continued(asker, identifier=f"n{number}.crowd.jp" if number % 2 else "crowd.jp")
    last = cast.drafted(cast.rin(), identifier="crowd.jp")
    with pytest.raises(BusinessError) as refused:
        continue_opening(actor(User.objects.get(email="rin@parent.example.com")), opening_uid=last.uid)
    assert (code_of(refused), refused.value.http_status) == ("too_many_held", 429)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=1, minutes=1)):
        rin = User.objects.get(email="rin@parent.example.com")
        assert continue_opening(actor(rin), opening_uid=last.uid).state == "held"


def test_a_draft_keeps_everything_that_was_typed_even_what_is_not_right_yet() -> None:
    hana = cast.hana()
    opening = start_opening(actor(hana))
    typed = {
        "identifier": "half a dom",
        "account_name": "サンプル",
        "postal_code": "060-8520",
        "street": "x" * 500,
        "country": "??",
    }
    keep_draft(actor(hana), opening_uid=opening.uid, values=typed)
    opening.refresh_from_db()
    assert (opening.identifier, opening.account_name, opening.postal_code) == ("half a dom", "サンプル", "060-8520")
    assert (len(opening.street), opening.country) == (200, "JP")
    with pytest.raises(FieldErrors) as refused:
        continue_opening(actor(hana), opening_uid=opening.uid)
    assert refused.value.errors


def test_an_earlier_request_or_the_customer_file_fills_in_a_new_one() -> None:
    KnownCustomer.objects.create(
        domain=cast.IDENTIFIER, name="株式会社サンプル", postal_code="100-0001", city="千代田区", street="1"
    )
    ken = cast.ken()
    first = start_opening(actor(ken))
    assert (first.account_name, first.street, first.identifier) == ("株式会社サンプル", "1", cast.IDENTIFIER)
    assert start_opening(actor(cast.rin())).street == ""
    hana = cast.hana()
    withdraw_opening(actor(hana), opening_uid=cast.continued(hana, street="5-5").uid)
    assert start_opening(actor(hana)).street == "5-5"


def test_another_persons_request_is_not_there() -> None:
    opening = cast.drafted(cast.hana())
    for act in (continue_opening, withdraw_opening, resend_link, take_over_opening):
        with pytest.raises(BusinessError) as refused:
            act(actor(User.objects.get(email="hana@sample.example.jp")), opening_uid="nothing")
        assert code_of(refused) == "not_found"
    ken = cast.ken()
    with pytest.raises(BusinessError) as refused:
        continue_opening(actor(ken), opening_uid=opening.uid)
    assert code_of(refused) == "not_found"


def test_only_the_operator_decides() -> None:
    opening = cast.continued(cast.rin())
    hana = cast.hana()
    for act, fields in (
        (approve_held_opening, {}), (decline_opening, {"reason": "x"}), (ask_opening_reason, {"question": "x"}),
    ):  # fmt: skip
        with pytest.raises(BusinessError) as refused:
            act(actor(hana), opening_uid=opening.uid, **fields)
        assert code_of(refused) == "not_found"


def test_an_address_that_is_not_confirmed_neither_opens_nor_learns_anything() -> None:
    make_account(cast.IDENTIFIER, "Sample")
    hana = cast.hana()
    draft = cast.drafted(hana)
    User.objects.update(email_confirmed_at=None)
    with pytest.raises(BusinessError) as refused:
        start_opening(actor(hana))
    assert code_of(refused) == "mail_not_confirmed"
    assert company_accounts(actor(hana)) == []
    assert identifier_standing(actor(hana), draft.uid, cast.IDENTIFIER).code == "held"
    assert continue_opening(actor(hana), opening_uid=draft.uid).state == "held"


def test_what_a_page_keeps_by_itself_does_not_undo_a_later_step() -> None:
    hana = make_user("hana@late.example.jp", "Hana")
    opening = start_opening(actor(hana))
    since = opening.last_step_at.isoformat()
    keep_draft(actor(hana), opening_uid=opening.uid, values={"city": "千代田"}, since=since)
    kept = keep_draft(actor(hana), opening_uid=opening.uid, values={"city": "千代田区", "street": "1-1"})
    late = keep_draft(actor(hana), opening_uid=opening.uid, values={"city": "", "street": ""}, since=since)
    assert (late.city, late.street, late.last_step_at) == ("千代田区", "1-1", kept.last_step_at)
