"""What the company wrote down about some of its lots: numbers, who bought them, where the certificate lies, what it cost."""

from __future__ import annotations

from daicho.domain.ledger.commands.lot_details import change_lot_details
from daicho.domain.ledger.commands.lot_files import attach_lot_file
from daicho.domain.ledger.queries.lot_details import every_kept_lot
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.cli.demo.accounts import Company
from daicho.interfaces.cli.demo.cast import Cast

# By order: purchasing department, storage place, price of one license in yen.
BOUGHT = {
    "KN-24-0118": ("情報システム部", "本社3F 書庫A-12", 38_000),
    "KN-24-0231": ("セキュリティ統括室", "本社3F 書庫A-12", 24_000),
    "KN-24-0307": ("基盤技術研究所", "研究所 文書室", 61_000),
    "KN-24-0412": ("大阪支店 総務課", "大阪支店 金庫", 38_000),
    "KN-24-0498": ("情報システム部", "電子文書（共有フォルダー）", 9_800),
    "KN-24-0555": ("大阪支店 総務課", "大阪支店 金庫", 21_000),
    "KN-25-0064": ("名古屋支店 総務課", "名古屋支店 書庫", 45_000),
    "KN-25-0170": ("セキュリティ統括室", "電子文書（共有フォルダー）", 12_000),
}


def write_down(cast: Cast, company: Company) -> None:
    """The lots of these orders have their columns, the first of them its certificate as well."""
    number = 0
    for kept in every_kept_lot(look(cast.administrator, company.account)):
        lot = kept.lot
        if lot.order_number not in BOUGHT:
            continue
        number += 1
        department, place, price = BOUGHT[lot.order_number]
        changes = {
            "management_number": f"SW-{lot.start_at:%Y}-{number:04}",
            "certificate_number": f"KN-C-{number + 70_400}",
            "department": department,
            "storage_place": place,
            "amount": price * kept.quantity,
            "currency": "JPY",
        }
        change_lot_details(cast.administrator, account=company.account, lot_uid=lot.uid, changes=changes)
        if number == 1:
            text = f"ライセンス証書（見本）\r\n{lot.tag.sku} {kept.quantity}\r\n".encode()
            attach_lot_file(
                cast.administrator, account=company.account, lot_uid=lot.uid, name="ライセンス証書.txt", content=text
            )
