"""The columns of an order file. Nothing here needs Django, so that a process of its own may read large files."""

from __future__ import annotations

COLUMNS = (
    "order_number", "line", "domain", "virtual_account", "sku", "quantity", "kind", "billing", "start_date", "end_date",
    "ordered_on", "customer_reference", "memo",
)  # fmt: skip
NEEDED = ("order_number", "domain", "sku", "quantity")
HEADER = ("domain", "ordered_on", "customer_reference", "memo")
"""What belongs to the order as a whole: stated in any of its rows, and the same in all that state it."""
HEADS = {column: column for column in COLUMNS} | {
    "注文番号": "order_number", "明細": "line", "明細番号": "line", "ドメイン": "domain", "ドメイン識別子": "domain",
    "アカウントドメイン識別子": "domain", "バーチャルアカウント": "virtual_account", "型番(sku)": "sku", "型番": "sku",
    "数量": "quantity", "種別": "kind", "課金": "billing", "開始日": "start_date", "終了日": "end_date",
    "有効期限": "end_date", "注文日": "ordered_on", "お客様の注文番号": "customer_reference", "備考": "memo",
}  # fmt: skip
