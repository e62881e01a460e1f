"""Over-use and what waits for somebody is mailed within a minute, to those who may see it (S2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daicho.core.clock import now
from daicho.domain.access.models import User
from daicho.domain.alerts.models import NotificationSetting
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.tenancy.models import SmartAccount
from tests.alerts.acts import device, mails, make_short, recipients, rendered, run, use
from tests.world import World

pytestmark = pytest.mark.django_db

SHORT = "alert_insufficient_licenses"


def settings_of(user: User, account: SmartAccount, **fields: Any) -> None:
    NotificationSetting.objects.update_or_create(
        user=user, account=account, defaults={"summarized_on": dt.date(2026, 11, 24), **fields}
    )


def test_over_use_is_mailed_once_to_everybody_who_sees_it(clock: Any, world: World) -> None:
    make_short(world, world.osaka, world.storage, 20, 23, clock)
    run()
    run()

    assert len(mails(SHORT)) == 5
    everywhere = {world.admin, world.user, world.viewer}
    assert recipients(SHORT) == {person.email for person in {*everywhere, world.osaka_admin, world.partner}}


def test_over_use_elsewhere_is_not_mailed_to_who_sees_only_osaka(clock: Any, world: World) -> None:
    make_short(world, world.tokyo, world.storage, 20, 23, clock)
    run()
    assert recipients(SHORT) == {world.admin.email, world.user.email, world.viewer.email}


def test_who_wants_no_mail_at_once_or_not_of_this_kind_gets_none(clock: Any, world: World) -> None:
    settings_of(world.admin, world.account, at_once=False)
    settings_of(world.user, world.account, muted_kinds=["insufficient_licenses"])
    make_short(world, world.tokyo, world.storage, 20, 23, clock)
    run()
    assert recipients(SHORT) == {world.viewer.email}


def test_the_mail_tells_who_uses_it_and_what_would_cover_it(clock: Any, world: World) -> None:
    world.deposit(world.essentials, 20, world.osaka)
    world.deposit(world.essentials, 12, world.tokyo)
    world.deposit(world.advantage, 5, world.default)
    world.deposit(world.security, 99, world.tokyo)
    use(world, world.osaka, world.essentials, 15, "osaka-01")
    make_short(world, world.osaka, world.essentials, 0, 8, clock)
    run()

    to_admin = next(mail for mail in mails(SHORT) if mail.to == world.admin.email)
    assert rendered(to_admin, "ja").subject == "【要対応】ライセンスが不足しています：NET-ESS 3（AOZORA Manufacturing）"
    japanese = rendered(to_admin, "ja").text
    assert japanese.startswith(
        "AOZORA Admin 様\n\n"
        "購入した数を超えてライセンスが使用されています。移管または追加の購入で、不足を解消してください。\n\n"
        "NET-ESS（Osaka）：不足 3（購入 20、使用 23）\n"
        "使用している機器：osaka-01 15、core-01 8\n"
        "余剰：AOZORA Tokyo 12、DEFAULT 5（上位のNET-ADV）\n\n"
        "次のページから移管できます。\n"
        f"http://testserver/a/aozora.example.co.jp/va/{world.osaka.uid}/alerts/\n"
    )
    english = rendered(to_admin, "en")
    assert english.subject == "Action needed: short of 3 NET-ESS (AOZORA Manufacturing)"
    assert (
        "NET-ESS (Osaka): short 3 (purchased 20, in use 23)\n"
        "Used by: osaka-01 15, core-01 8\n"
        "Spare: AOZORA Tokyo 12, DEFAULT 5 (better tier NET-ADV)\n" in english.text
    )

    to_partner = next(mail for mail in mails(SHORT) if mail.to == world.partner.email)
    assert "Tokyo" not in str(to_partner.context)
    assert "余剰：担当範囲にはありません。" in rendered(to_partner, "ja").text


def test_what_begins_together_is_one_mail(clock: Any, world: World) -> None:
    end = now() + dt.timedelta(hours=1)
    world.deposit(world.storage, 3, world.tokyo, end=end)
    use(world, world.tokyo, world.storage, 3, "tokyo-01")
    make_short(world, world.osaka, world.security, 0, 2, clock)
    run()
    to_admin = [mail for mail in mails(SHORT) if mail.to == world.admin.email]
    assert len(to_admin) == 1
    assert rendered(to_admin[0], "ja").subject == "【要対応】ライセンス2件が不足しています（AOZORA Manufacturing）"


def test_the_agreement_is_mailed_to_who_may_accept_it(clock: Any, world: World) -> None:
    SmartAccount.objects.filter(pk=world.account.pk).update(
        good_standing_until=now() + dt.timedelta(days=20), activated_at=now() - dt.timedelta(days=400)
    )
    run()
    assert recipients("alert_agreement_updated") == {world.admin.email, world.approver.email}
    assert "2026/12/14(月)までに" in rendered(mails("alert_agreement_updated")[0], "ja").text

    clock.shift(dt.timedelta(days=21))
    run()
    assert recipients("alert_agreement_pending") == {world.admin.email, world.approver.email}


def test_an_account_activated_just_now_is_not_asked_for_the_agreement_twice(clock: Any, world: World) -> None:
    SmartAccount.objects.filter(pk=world.account.pk).update(good_standing_until=None, activated_at=now())
    run()
    assert mails("alert_agreement_pending") == []


def test_an_order_that_waits_is_mailed_to_who_may_assign_it(clock: Any, world: World) -> None:
    order = Order.objects.create(number="PO-8841", number_key="po-8841", account=world.account, recorded_by_name="x")
    OrderLine.objects.create(
        account=world.account, order=order, line_number=1, tag=world.storage, quantity=5, kind="term",
        state="unassigned", fingerprint="x",
    )  # fmt: skip
    run()
    assert recipients("alert_order_waiting") == {world.admin.email, world.user.email}
    subject = rendered(mails("alert_order_waiting")[0], "ja").subject
    assert subject == "【要対応】注文PO-8841が対応待ちです（AOZORA Manufacturing）"


def test_twins_are_not_mailed_at_once(clock: Any, world: World) -> None:
    for name in ("a", "b"):
        device(world, world.osaka, name, product_id="P", serial="S")
    run()
    assert mails() == []
