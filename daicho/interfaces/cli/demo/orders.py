"""Two years of orders: ending, ended, not started, unassigned, waiting, cancelled."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.clock import today
from daicho.domain.access.commands.partners import add_partner_member, create_partner_company
from daicho.domain.orders.commands.allowances import set_allowance
from daicho.domain.orders.commands.assign import LinePart, assign_lines
from daicho.domain.orders.commands.record import record_order, record_orders
from daicho.domain.orders.rules import LineInput, OrderInput
from daicho.interfaces.cli.demo.accounts import COMPANY, NEWCOMER, Company
from daicho.interfaces.cli.demo.cast import PARTNER, Cast

ZONE = "Asia/Tokyo"
GROUP_ONE = "ネットワーク運用第一グループ"
GROUP_TWO = "情報システム本部 デジタル基盤統括部 ネットワーク運用第二グループ（夜間・休日対応）"
EAST, WEST = "東日本データセンター", "西日本データセンター"
MAINTENANCE = "保守委託（さくら保守サービス）"

# Order number, days since it was ordered, lines: SKU, quantity, virtual account, kind, start and end in days from today.
BY_OPERATOR: tuple[tuple[str, int, tuple[tuple[Any, ...], ...]], ...] = (
    ("KN-24-0118", 700, (("NET-ADV", 60, GROUP_ONE, "term", -700, 395), ("NET-ESS", 80, GROUP_ONE, "perpetual", -700, None))),
    ("KN-24-0231", 640, (("SEC-PLUS", 120, EAST, "term", -640, 12), ("FW-THREAT", 16, EAST, "term", -640, 455))),
    ("KN-24-0307", 610, (("STO-TB", 200, "基盤技術研究所", "perpetual", -610, None), ("BKP-VM", 150, WEST, "term", -610, 120))),
    ("KN-24-0412", 560, (("NET-ADV", 20, "大阪支店", "term", -560, 170), ("WLS-ESS", 60, "大阪支店", "perpetual", -560, None))),
    ("KN-24-0498", 500, (("COL-USER", 300, "本社", "subscription", -500, 230), ("COL-USER", 80, "名古屋支店", "subscription", -500, 230))),
    ("KN-24-0555", 460, (("NET-ESS", 30, "大阪支店", "term", -460, -95), ("NET-ESS", 40, "大阪支店", "term", -460, 68))),
    ("KN-25-0021", 320, (("NET-PREM", 12, "福岡支店", "term", -320, 410), ("SDW-100M", 10, "福岡支店", "term", -320, 45))),
    ("KN-25-0064", 290, (("WLS-ADV", 25, "名古屋支店", "term", -290, 3), ("WLS-ESS", 30, "名古屋支店", "perpetual", -290, None))),
    ("KN-25-0090", 270, (("OBS-HOST", 50, EAST, "subscription", -270, 95, "usage"), ("AUTO-NODE", 100, EAST, "term", -270, 460))),
    ("KN-25-0133", 230, (("NET-ADV", 30, "川崎工場 第一製造部", "term", -230, 500), ("NET-ADV", 30, "川崎工場 第二製造部", "term", -230, 500))),
    ("KN-25-0170", 200, (("SEC-CRYPTO", 8, "セキュリティ統括室", "perpetual", -200, None), ("VPN-USER", 500, "セキュリティ統括室", "subscription", -200, 165))),
    ("KN-25-0204", 170, (("NET-ESS", 24, "札幌支店", "term", -170, 195), ("WLS-ESS", 20, "札幌支店", "term", -170, 195))),
    ("KN-25-0211", 160, (("NET-ESS", 16, "仙台支店", "term", -160, 205), ("SDW-100M", 4, "仙台支店", "term", -160, 25))),
    ("KN-25-0260", 120, (("NET-ADV", 40, GROUP_TWO, "term", -120, 610), ("SEC-STD", 40, GROUP_TWO, "term", -120, 610))),
    ("KN-25-0288", 90, (("SDW-1G", 6, "本社", "term", -90, 640), ("SDW-1G", 2, "大阪南営業所", "term", -90, 640))),
    ("KN-25-0301", 60, (("VPN-USER", 50, "教育・検証環境", "demo", -60, 20), ("NET-PREM", 5, "教育・検証環境", "demo", -60, -1))),
    ("KN-25-0333", 20, (("NET-PREM", 20, "大阪支店", "term", 30, 760),)),
    ("KN-25-0340", 9, (("NET-ADV", 10, "", "term", -9, 721), ("SEC-STD", 25, "", "term", -9, 721))),
    ("KN-25-0351", 2, (("WLS-ADV", 40, "", "subscription", -2, 363),)),
)  # fmt: skip
BY_PARTNER: tuple[tuple[str, int, tuple[tuple[Any, ...], ...]], ...] = (
    ("PA-8841", 150, (("NET-ESS", 12, "福岡支店", "term", -150, 215), ("WLS-ESS", 16, "福岡支店", "term", -150, 215))),
    ("PA-8902", 80, (("SEC-STD", 10, "福岡支店", "term", -80, 285),)),
    ("PA-8977", 14, (("NET-ADV", 8, "福岡支店", "term", -14, 351), ("NET-ESS", 10, MAINTENANCE, "term", -14, 351))),
    ("PA-9001", 1, (("FW-THREAT", 4, "福岡支店", "term", 0, 365), ("NET-PREM", 50, "大阪支店", "term", 0, 365))),
)  # fmt: skip


def bring_partner(cast: Cast) -> Any:
    """パートナー販売 records orders; some licenses within a monthly allowance, everything else waits for the operator."""
    company = create_partner_company(cast.operator, name="パートナー販売株式会社")
    add_partner_member(cast.operator, company_uid=company.uid, email=PARTNER)
    for sku, quantity in (("NET-ESS", 100), ("NET-ADV", 50), ("WLS-ESS", 100), ("SEC-STD", 50)):
        set_allowance(cast.operator, company=company, sku=sku, monthly_quantity=quantity)
    return company


def place_orders(cast: Cast, partner: Any) -> None:
    """Everything that was bought."""
    record_orders(cast.operator, company=None, orders=[_order(*order) for order in BY_OPERATOR])
    record_orders(cast.actor(PARTNER), company=partner, orders=[_order(*order) for order in BY_PARTNER])
    waiting = _order("KN-25-0355", 1, (("NET-ESS", 20, "DEFAULT", "term", 0, 365),), NEWCOMER)
    record_order(cast.operator, company=None, order=waiting)


def assign_some(cast: Cast, company: Company) -> None:
    """A part of an unassigned line finds its place; the rest stays for whoever tries the demonstration."""
    from daicho.domain.orders.queries.lines import list_unassigned

    for row in list_unassigned(cast.administrator, company.account):
        if row.line.tag.sku == "SEC-STD":
            assign_lines(
                cast.administrator,
                account=company.account,
                request_id=uuid.uuid4(),
                parts=[LinePart(row.line, company["札幌支店"], 5), LinePart(row.line, company["仙台支店"], 5)],
                memo="稟議 2026-1187",
            )


def _order(number: str, age: int, lines: tuple[tuple[Any, ...], ...], identifier: str = COMPANY) -> OrderInput:
    return OrderInput(
        number=number,
        identifier=identifier,
        ordered_on=_day(-age),
        customer_reference=f"発注-{number[-4:]}",
        lines=[_line(*line) for line in lines],
    )


def _line(
    sku: str, quantity: int, place: str, kind: str, start: int, end: int | None, billing: str = "prepaid"
) -> LineInput:
    return LineInput(
        sku=sku,
        quantity=quantity,
        kind=kind,
        billing=billing,
        start_on=_day(start),
        end_on=_day(end) if end is not None else None,
        virtual_account=place,
    )


def _day(offset: int) -> dt.date:
    return today(ZONE) + dt.timedelta(days=offset)
