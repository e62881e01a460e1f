"""An account's properties and states, the customer file, contests, guides, the tour."""

from __future__ import annotations

import pytest

from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.access.errors import RowErrors
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.commands import accounts, guides
from daicho.domain.accounts.commands.contests import contest_account, decide_contest
from daicho.domain.accounts.commands.customers import import_customers
from daicho.domain.accounts.models import Guide, KnownCustomer
from daicho.domain.accounts.queries_guides import tour_of
from daicho.domain.audit.models import Event
from daicho.domain.mailbox.models import Mail
from tests.opening import cast
from tests.world import World, actor

pytestmark = pytest.mark.django_db


def test_an_approver_edits_the_account_and_the_log_keeps_before_and_after(world: World) -> None:
    values = {"name": "あおぞら製作所", "country": "JP", "postal_code": "1000001", "street": "千代田1-1"}
    account = accounts.edit_account(actor(world.approver), account=world.account, values=values)
    assert (account.name, account.postal_code, account.city) == ("あおぞら製作所", "100-0001", "千代田区")
    event = Event.objects.get(kind="account.edited")
    assert (event.before["name"], event.after["name"]) == ("AOZORA Manufacturing", "あおぞら製作所")
    accounts.edit_account(actor(world.approver), account=account, values=values)
    assert Event.objects.filter(kind="account.edited").count() == 1


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": "123"}, "name", "not_a_name"),
        ({"time_zone": "Asia/Nowhere"}, "time_zone", "unknown_time_zone"),
        ({"postal_code": "060-8520"}, "postal_code", "office_postal_code"),
        ({"country": "ZZ"}, "country", "unknown_country"),
        ({"street": "x" * 201}, "street", "too_long"),
        ({"street": ""}, "street", "required"),
    ],
)
def test_what_an_account_cannot_be_changed_to(world: World, values, field, code) -> None:
    full = {"postal_code": "1000001", "street": "1"} | values
    with pytest.raises(FieldErrors) as refused:
        accounts.edit_account(actor(world.admin), account=world.account, values=full)
    assert refused.value.errors[field].code == code


def test_a_user_does_not_edit_the_account_and_only_an_administrator_changes_how_it_works(world: World) -> None:
    with pytest.raises(BusinessError) as refused:
        accounts.edit_account(actor(world.user), account=world.account, values={"name": "X"})
    assert refused.value.code == "forbidden"
    with pytest.raises(BusinessError) as refused:
        accounts.change_account_settings(actor(world.approver), account=world.account, transfers_need_approval=True)
    assert refused.value.code == "forbidden"
    accounts.change_account_settings(actor(world.admin), account=world.account, transfers_need_approval=True)
    world.account.refresh_from_db()
    assert world.account.transfers_need_approval


def test_a_suspended_account_is_read_but_not_changed_until_it_is_resumed(world: World) -> None:
    identifier = world.account.identifier
    accounts.suspend_account(actor(world.operator), identifier=identifier, reason="unpaid")
    world.account.refresh_from_db()
    ensure_may(actor(world.admin), Permission.LICENSES_VIEW, world.account)
    with pytest.raises(BusinessError) as refused:
        ensure_may(actor(world.admin), Permission.LICENSES_MANAGE, world.account)
    assert refused.value.code == "account_suspended"
    mail = Mail.objects.get(template="account_state")
    assert (mail.to, mail.context["reason"]) == (world.admin.email, "unpaid")
    accounts.resume_account(actor(world.operator), identifier=identifier, reason="paid")
    accounts.close_account(actor(world.operator), identifier=identifier, reason="merged")
    for act in (accounts.resume_account, accounts.suspend_account, accounts.close_account):
        with pytest.raises(BusinessError) as refused:
            act(actor(world.operator), identifier=identifier, reason="x")
        assert refused.value.code == "account_not_in_state"
    assert cast.continued(cast.hana(), identifier=identifier).state == "held"


def test_the_operator_looks_at_licenses_only_with_a_reason_that_the_account_reads(world: World) -> None:
    with pytest.raises(FieldErrors):
        accounts.look_into_account(actor(world.operator), identifier=world.account.identifier, reason=" ")
    accounts.look_into_account(actor(world.operator), identifier=world.account.identifier, reason="ticket 7")
    event = Event.objects.get(kind="support.viewed")
    assert (event.account, event.memo) == (world.account, "ticket 7")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_the_customer_file_is_taken_in_both_encodings_and_replaces_what_is_there(world: World, encoding: str) -> None:
    text = "domain,name,postal_code,street\nsample.example.jp,株式会社サンプル,1000001,千代田1\n"
    done = import_customers(actor(world.operator), content=text.encode(encoding))
    assert (done.added, done.changed) == (1, 0)
    done = import_customers(actor(world.operator), content=text.replace("千代田1", "千代田2").encode(encoding))
    assert (done.added, done.changed) == (0, 1)
    assert KnownCustomer.objects.get().street == "千代田2"
    assert KnownCustomer.objects.get().city == "千代田区"


def test_a_customer_file_with_one_bad_row_changes_nothing_and_names_every_bad_row(world: World) -> None:
    text = (
        "domain,name,country,postal_code,city,street\n"
        "sample.example.jp,Sample,JP,1000001,,1\n"
        "gmail.com,Free,JP,1000001,,1\n"
        "other.example.jp,,JP,060-8520,,1\n"
        "sample.example.jp,Again,JP,1000001,,1\n"
        "abroad.example.com,Abroad,ZZ,1,City,1\n"
    )
    with pytest.raises(RowErrors) as refused:
        import_customers(actor(world.operator), content=text.encode())
    found = {(row["row"], row["column"], row["code"]) for row in refused.value.data["rows"]}
    assert found == {
        (3, "domain", "identifier_is_mail_service"), (4, "name", "required"), (4, "postal_code", "office_postal_code"),
        (5, "domain", "twice_in_file"), (6, "country", "unknown_country"),
    }  # fmt: skip
    assert not KnownCustomer.objects.exists()
    with pytest.raises(BusinessError) as missing:
        import_customers(actor(world.operator), content=b"name\nx\n")
    assert missing.value.code == "columns_missing"
    with pytest.raises(BusinessError) as stranger:
        import_customers(actor(world.admin), content=text.encode())
    assert stranger.value.code == "not_found"


def test_a_contest_is_decided_by_the_operator_and_answered_by_mail(world: World) -> None:
    rin = cast.rin()
    contest = contest_account(actor(rin), identifier=world.account.identifier, reason="It is ours.")
    with pytest.raises(BusinessError) as refused:
        contest_account(actor(rin), identifier=world.account.identifier, reason="Again.")
    assert refused.value.code == "contest_open"
    with pytest.raises(BusinessError) as refused:
        decide_contest(actor(world.admin), contest_uid=contest.uid, upheld=True, reason="x")
    assert refused.value.code == "not_found"
    decide_contest(actor(world.operator), contest_uid=contest.uid, upheld=False, reason="The register says otherwise.")
    mail = cast.last_mail(rin.email)
    assert (mail.template, mail.context["upheld"]) == ("contest_decided", False)
    with pytest.raises(BusinessError):
        decide_contest(actor(world.operator), contest_uid=contest.uid, upheld=True, reason="x")


def test_guides_are_checked(world: World) -> None:
    bad = guides.GuideInput(" ", "javascript:alert(1)", "fr", "song", minutes=0, position=-1)
    with pytest.raises(FieldErrors) as refused:
        guides.add_guide(actor(world.operator), guide=bad)
    assert set(refused.value.errors) == {"title", "url", "language", "kind", "minutes", "position"}
    good = guides.GuideInput("Basics", "https://videos.example/1", "en", "video", minutes=20)
    added = guides.add_guide(actor(world.operator), guide=good)
    guides.remove_guide(actor(world.operator), guide_uid=added.uid)
    assert not Guide.objects.exists()
    assert set(Event.objects.values_list("kind", flat=True)) == {"guide.added", "guide.removed"}


def test_each_person_has_an_own_tour(world: World) -> None:
    guides.tick_tour(actor(world.admin), step="people", done=True)
    guides.hide_tour(actor(world.admin), hidden=True)
    assert tour_of(actor(world.admin)).done == {"people"}
    assert tour_of(actor(world.admin)).hidden
    assert tour_of(actor(world.user)).done == frozenset()
    with pytest.raises(BusinessError):
        guides.tick_tour(actor(world.admin), step="nothing", done=True)


def test_the_console_publishes_and_imports(tmp_path, capsys) -> None:
    from daicho.interfaces.cli.main import main, parser

    for name, text in (("ja", "# 合意書\n本文"), ("en", "# Agreement\nText")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    arguments = parser().parse_args(
        ["publish-agreement", "--ja", str(tmp_path / "ja"), "--en", str(tmp_path / "en"), "--json"]
    )
    assert arguments.run(arguments) == 0
    assert '"version": 1' in capsys.readouterr().out
    (tmp_path / "c.csv").write_text("domain,name,postal_code,street\nsample.example.jp,Sample,1000001,1\n")
    arguments = parser().parse_args(["import-customers", str(tmp_path / "c.csv")])
    assert arguments.run(arguments) == 0
    assert KnownCustomer.objects.count() == 1
    assert main(["import-customers", str(tmp_path / "nothing.csv")]) == 1
