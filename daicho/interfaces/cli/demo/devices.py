"""Devices with their licenses, transfers between departments, and what went wrong on the way."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.clock import now
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device, reuse_on_device
from daicho.domain.devices.commands.records import create_device
from daicho.domain.ledger.commands.cancel import revoke_lot
from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.commands.undo import undo_entry
from daicho.interfaces.cli.demo.accounts import Company
from daicho.interfaces.cli.demo.cast import Cast
from daicho.interfaces.cli.demo.catalog import product_uids
from daicho.interfaces.cli.demo.orders import EAST, GROUP_ONE, GROUP_TWO, MAINTENANCE, WEST

# Virtual account, name, product, how many, licenses of each.
FLEET: tuple[tuple[str, str, str, int, tuple[tuple[str, int], ...]], ...] = (
    (GROUP_ONE, "hq-core", "KC-9600", 2, (("NET-ADV", 6),)),
    (GROUP_ONE, "hq-floor", "KX-48P", 8, (("NET-ESS", 4),)),
    (GROUP_TWO, "hq2-dist", "KC-9500", 4, (("NET-ADV", 5), ("SEC-STD", 4))),
    ("本社", "hq-edge", "KE-800", 2, (("SDW-1G", 2),)),
    ("本社", "hq-call", "KCM-Server", 1, (("COL-USER", 268),)),
    ("セキュリティ統括室", "vpn-gw", "KF-2000", 2, (("VPN-USER", 210), ("SEC-CRYPTO", 2))),
    (EAST, "dc1-fw", "KF-2000", 2, (("SEC-PLUS", 59), ("FW-THREAT", 6))),
    (EAST, "dc1-mon", "KO-Collector", 1, (("OBS-HOST", 63),)),
    (EAST, "dc1-auto", "KA-Controller", 1, (("AUTO-NODE", 72),)),
    (WEST, "dc2-bkp", "KB-Vault", 2, (("BKP-VM", 55),)),
    ("名古屋支店", "ngy-ap", "KW-7", 5, (("WLS-ADV", 5),)),
    ("名古屋支店", "ngy-call", "KCM-Server", 1, (("COL-USER", 64),)),
    ("札幌支店", "spr-sw", "KX-24P", 5, (("NET-ESS", 3),)),
    ("仙台支店", "sdj-sw", "KX-24", 4, (("NET-ESS", 3),)),
    ("仙台支店", "sdj-edge", "KE-200", 1, (("SDW-100M", 4),)),
    ("福岡支店", "fuk-sw", "KX-48", 3, (("NET-ESS", 6),)),
    ("福岡支店", "fuk-core", "KC-9500", 1, (("NET-PREM", 4), ("SEC-STD", 6))),
    ("福岡支店", "fuk-ap", "KW-6", 4, (("WLS-ESS", 3),)),
    ("川崎工場 第一製造部", "kws1-sw", "KX-48", 4, (("NET-ADV", 6),)),
    ("川崎工場 第二製造部", "kws2-sw", "KX-48", 3, (("NET-ADV", 6),)),
    ("大阪支店", "osk-ap", "KW-6", 6, (("WLS-ESS", 8),)),
    ("大阪支店", "osk-floor", "KX-24P", 4, (("NET-ESS", 3),)),
    (MAINTENANCE, "mnt-spare", "KX-24", 2, (("NET-ESS", 2),)),
    ("教育・検証環境", "lab-fw", "KV-Firewall", 1, (("VPN-USER", 20),)),
)  # fmt: skip


class Workshop:
    """The administrator at work."""

    def __init__(self, cast: Cast, company: Company, tags: dict[str, Any]) -> None:
        self.cast, self.company, self.tags = cast, company, tags
        self.products = product_uids(cast)
        self.devices: dict[str, Any] = {}

    def install(self, place: str, name: str, product: str, *licenses: tuple[str, int]) -> None:
        """Write a device down and assign its licenses."""
        device = create_device(
            self.cast.administrator,
            account=self.company.account,
            virtual_account=self.company[place],
            request_id=uuid.uuid4(),
            name=name,
            product_id=product,
            serial=f"KMN{29_000_000 + 7_919 * len(self.devices):08X}",
            product_uid=self.products[product],
        )
        self.devices[name] = device
        lines = [UseLine(self.tags[sku], quantity) for sku, quantity in licenses]
        if lines:
            assign_to_device(
                self.cast.administrator,
                account=self.company.account,
                device_uid=device.uid,
                lines=lines,
                request_id=uuid.uuid4(),
            )

    def install_fleet(self) -> None:
        """All devices of the company."""
        for place, name, product, count, licenses in FLEET:
            for number in range(1, count + 1):
                self.install(place, f"{name}-{number:02d}" if count > 1 else name, product, *licenses)
        self.install("基盤技術研究所", "lab-array", "KS-Array")

    def run_short_in_osaka(self) -> dt.datetime:
        """NET-ADV of 大阪支店 will be 3 short: a lot ends while it is in use. Returns when it ends.

        The order was recorded twice at first; the duplicate is cancelled once the right one is there.
        """
        lots = [
            NewLot(
                self.tags["NET-ADV"], 8, "perpetual", now(), None, self.company["大阪支店"], order_number="KN-23-0077"
            )
        ]
        twice = self._deposit(lots)
        for number in range(1, 4):
            self.install("大阪支店", f"osk-core-{number:02d}", "KC-9500", ("NET-ADV", 7))
        self.install("大阪支店", "osk-branch", "KR-1100", ("NET-ADV", 2))
        ends = now() + dt.timedelta(seconds=3)
        begun = now() - dt.timedelta(days=3 * 365)
        self._deposit(
            [NewLot(self.tags["NET-ADV"], 8, "term", begun, ends, self.company["大阪支店"], order_number="KN-23-0077")]
        )
        undo_entry(
            self.cast.operator, account=self.company.account, entry_uid=twice.uid, request_id=uuid.uuid4(), memo="二重登録",
        )  # fmt: skip
        return ends

    def run_short_in_kawasaki(self) -> None:
        """COL-USER of 川崎工場 is used beyond what is left after the operator took back a mistaken delivery."""
        lots = [
            NewLot(
                self.tags["COL-USER"], quantity, "perpetual", now(), None, self.company["川崎工場"], order_number=number
            )
            for number, quantity in (("KN-25-0310", 30), ("KN-25-0311", 15))
        ]
        deposited = deposit_lots(self.cast.operator, account=self.company.account, request_id=uuid.uuid4(), lots=lots)
        self.install("川崎工場", "kws-call", "KCM-Server", ("COL-USER", 40))
        revoke_lot(
            self.cast.operator, account=self.company.account, request_id=uuid.uuid4(), lot=deposited.lots[1],
            reason="納入先の誤り（KN-25-0311）",
        )  # fmt: skip

    def _deposit(self, lots: list[NewLot]) -> Any:
        done = deposit_lots(self.cast.operator, account=self.company.account, request_id=uuid.uuid4(), lots=lots)
        return done.entry

    def move_around(self) -> None:
        """Transfers between departments; one was a mistake and is undone. A spare license is used on another device."""
        self._transfer(("NET-ESS", 12, GROUP_ONE, "大阪支店"), memo="稟議 2026-0912")
        self._transfer(
            ("NET-ADV", 8, GROUP_TWO, GROUP_ONE), ("SEC-STD", 5, GROUP_TWO, "大阪南営業所"), memo="組織変更に伴う移管"
        )
        mistake = self._transfer(("WLS-ESS", 4, "大阪支店", "仙台支店"), memo="")
        undo_entry(
            self.cast.administrator, account=self.company.account, entry_uid=mistake.uid, request_id=uuid.uuid4(),
            memo="移管先の誤り",
        )  # fmt: skip
        reuse_on_device(
            self.cast.administrator,
            account=self.company.account,
            device_uid=self.devices["spr-sw-05"].uid,
            target_uid=self.devices["sdj-sw-04"].uid,
            lines=[UseLine(self.tags["NET-ESS"], 2)],
            request_id=uuid.uuid4(),
            memo="札幌の機器撤去に伴う転用",
        )

    def _transfer(self, *moves: tuple[str, int, str, str], memo: str) -> Any:
        wanted = [
            Move(self.company[source], self.company[target], self.tags[sku], quantity)
            for sku, quantity, source, target in moves
        ]
        outcome = transfer_licenses(
            self.cast.administrator, account=self.company.account, request_id=uuid.uuid4(), moves=wanted, memo=memo
        )
        return outcome.entry
