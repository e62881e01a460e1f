"""One summary a day, at eight in the reader's zone, when there is something new (product.md, Mail)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daicho.core.clock import end_of_day, now
from daicho.domain.access.models import User
from daicho.domain.alerts.models import ExtraAddress, NotificationSetting
from daicho.domain.ledger.sweep import sweep_due
from tests.alerts.acts import device, mails, recipients, rendered, run, use
from tests.world import World

pytestmark = pytest.mark.django_db

TOKYO = "Asia/Tokyo"


def ends(year: int, month: int, day: int) -> dt.datetime:
    return end_of_day(dt.date(year, month, day), TOKYO)


def at(clock: Any, day: int, hour: int, minute: int = 0, month: int = 11) -> None:
    """An hour of a day in Tokyo, 2026."""
    clock.move_to(dt.datetime(2026, month, day, hour, minute, tzinfo=dt.timezone(dt.timedelta(hours=9))))


def settle(clock: Any) -> None:
    """Everybody is known and has had his summary of 23 November."""
    at(clock, 23, 8)
    run()
    assert mails() == []


def summary_to(user: User) -> Any:
    return [mail for mail in mails("daily_summary") if mail.to == user.email]


def test_the_summary_reads_as_agreed_in_japanese_and_english(clock: Any, world: World) -> None:
    world.osaka.name = "大阪支店"
    world.osaka.save()
    settle(clock)
    world.deposit(world.storage, 10, world.tokyo, end=ends(2026, 11, 23))
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 1))
    world.deposit(world.essentials, 40, world.osaka, end=ends(2027, 1, 31))
    world.deposit(world.essentials, 40, world.osaka, end=ends(2027, 6, 30))
    use(world, world.tokyo, world.security, 118, "tokyo-01")
    use(world, world.osaka, world.essentials, 52, "osaka-01")
    at(clock, 24, 0, 5)
    sweep_due()
    at(clock, 24, 8)
    run()

    (mail,) = summary_to(world.admin)
    japanese = rendered(mail, "ja")
    assert japanese.subject == "【期限】ライセンス2件が90日以内に期限を迎えます（AOZORA Manufacturing）"
    assert japanese.text == (
        "AOZORA Admin 様\n"
        "\n"
        "2026/11/24(火)時点の一覧です。使用中のまま期限を迎えると、不足になります。\n"
        "\n"
        " 期限        残り  ライセンス  数量  使用中  期限後の過不足  バーチャルアカウント\n"
        " 2026/12/01   7日  SEC-PLUS     120     118            -118  AOZORA Tokyo\n"
        " 2027/01/31  68日  NET-ESS       40      52             -12  大阪支店\n"
        "\n"
        "前回のお知らせの後に期限切れになったもの：1件（STO-STD 10、2026/11/23）。\n"
        "\n"
        "一覧は次のページで確認できます。\n"
        "http://testserver/a/aozora.example.co.jp/ending/\n"
        "\n"
        "このメールは、通知設定（90・30・7日前）に基づき、日次まとめとしてお送りしています。"
        "変更：http://testserver/a/aozora.example.co.jp/notifications/\n"
        "\n"
        "サポート窓口：support@vendor.example / 03-0000-0000\n"
        "Daicho  http://testserver\n"
    )
    english = rendered(mail, "en")
    assert english.subject == "Ending: 2 licenses end within 90 days (AOZORA Manufacturing)"
    assert english.text == (
        "Dear AOZORA Admin,\n"
        "\n"
        "This is the list of 24 Nov 2026. Licenses still in use when they end leave a shortage.\n"
        "\n"
        " ends         left     license   qty  in use  balance after  virtual account\n"
        " 1 Dec 2026   7 days   SEC-PLUS  120     118           -118  AOZORA Tokyo\n"
        " 31 Jan 2027  68 days  NET-ESS    40      52            -12  大阪支店\n"
        "\n"
        "Ended since the last notice: 1 (STO-STD 10, 23 Nov 2026).\n"
        "\n"
        "The whole list:\n"
        "http://testserver/a/aozora.example.co.jp/ending/\n"
        "\n"
        "You get this daily summary because of your settings (90, 30, 7 days). "
        "Change them: http://testserver/a/aozora.example.co.jp/notifications/\n"
        "\n"
        "Support desk: support@vendor.example / 03-0000-0000\n"
        "Daicho  http://testserver\n"
    )


def test_who_sees_only_osaka_reads_only_of_osaka(clock: Any, world: World) -> None:
    settle(clock)
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 1))
    world.deposit(world.essentials, 40, world.osaka, end=ends(2026, 12, 24))
    at(clock, 24, 8)
    run()

    assert recipients("daily_summary") == {
        person.email for person in (world.admin, world.user, world.viewer, world.osaka_admin, world.partner)
    }
    (mail,) = summary_to(world.partner)
    assert [row["sku"] for row in mail.context["endings"]] == ["NET-ESS"]
    assert mail.context["ending_count"] == 1
    assert "Tokyo" not in str(mail.context)


def test_nothing_is_mailed_before_eight_and_never_twice_for_a_day(clock: Any, world: World) -> None:
    settle(clock)
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 24))
    at(clock, 24, 7, 59)
    run()
    assert mails() == []
    at(clock, 24, 8)
    run()
    run()
    at(clock, 24, 15)
    run()
    assert len(summary_to(world.admin)) == 1
    at(clock, 25, 8)
    run()
    assert len(summary_to(world.admin)) == 1, "nothing new, no mail"


def test_each_of_a_persons_days_is_told_once_even_when_the_worker_was_away(clock: Any, world: World) -> None:
    settle(clock)
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 25))
    told = []
    for month, day in [(11, 24), (11, 25), (11, 26), (12, 17), (12, 18), (12, 19), (12, 25), (12, 26)]:
        at(clock, day, 8, month=month)
        sweep_due()
        before = len(summary_to(world.admin))
        run()
        if len(summary_to(world.admin)) > before:
            told.append((month, day))
    assert told == [(11, 24), (11, 25), (12, 18), (12, 26)], "bought, 30 days, 7 days, ended"


def test_a_missed_day_is_made_up_for(clock: Any, world: World) -> None:
    settle(clock)
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 25))
    at(clock, 28, 10)
    run()
    assert len(summary_to(world.admin)) == 1


def test_every_zone_has_its_own_morning(clock: Any, world: World) -> None:
    world.viewer.time_zone = "Europe/Paris"
    world.viewer.save()
    world.user.time_zone = "America/Los_Angeles"
    world.user.save()
    at(clock, 24, 7)
    run()
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 1))
    at(clock, 24, 8)
    run()
    assert recipients("daily_summary") == {world.admin.email}
    clock.move_to(dt.datetime(2026, 11, 24, 7, 0, tzinfo=dt.UTC))
    run()
    assert recipients("daily_summary") == {world.admin.email, world.viewer.email}
    clock.move_to(dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC))
    run()
    assert recipients("daily_summary") == {world.admin.email, world.viewer.email, world.user.email}
    assert len(mails("daily_summary")) == 3


def test_a_person_chooses_days_and_may_have_no_summary(clock: Any, world: World) -> None:
    settle(clock)
    NotificationSetting.objects.filter(user=world.admin).update(days=[1])
    NotificationSetting.objects.filter(user=world.user).update(daily_summary=False)
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 24))
    at(clock, 24, 8)
    run()
    assert recipients("daily_summary") == {world.viewer.email}
    at(clock, 23, 8, month=12)
    run()
    assert len(summary_to(world.admin)) == 1
    assert summary_to(world.user) == []


def test_alerts_that_were_not_mailed_at_once_are_in_the_summary(clock: Any, world: World) -> None:
    settle(clock)
    for name in ("osaka-01", "osaka-02"):
        device(world, world.osaka, name, product_id="C9500", serial="FCW2233A0B1")
    at(clock, 23, 12)
    run()
    at(clock, 24, 8)
    run()

    (mail,) = summary_to(world.osaka_admin)
    japanese = rendered(mail, "ja")
    assert japanese.subject == "【お知らせ】新しいアラートが2件あります（AOZORA Manufacturing）"
    assert summary_to(world.approver) == []
    at(clock, 25, 8)
    run()
    assert len(summary_to(world.osaka_admin)) == 1


def test_a_confirmed_extra_address_gets_the_summary_of_the_whole_account(clock: Any, world: World) -> None:
    settle(clock)
    for number, confirmed in enumerate([now(), None]):
        ExtraAddress.objects.create(
            account=world.account, email=f"it{number}@aozora.example.co.jp", token_hash=str(number),
            token_expires_at=now(), confirmed_at=confirmed, summarized_on=dt.date(2026, 11, 23),
        )  # fmt: skip
    world.deposit(world.security, 120, world.tokyo, end=ends(2026, 12, 1))
    at(clock, 24, 8)
    run()
    assert "it0@aozora.example.co.jp" in recipients("daily_summary")
    assert "it1@aozora.example.co.jp" not in recipients("daily_summary")
    mail = next(mail for mail in mails("daily_summary") if mail.to.startswith("it0"))
    assert "通知先のアドレスとして登録されているため" in rendered(mail, "ja").text
