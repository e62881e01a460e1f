"""What the invented vendor Kumo Networks sells."""

from __future__ import annotations

from daicho.core.tabular import csv_lines
from daicho.domain.catalog.commands.imports import import_catalog
from daicho.domain.catalog.commands.tags import set_ladder
from daicho.domain.catalog.queries import list_products, tags_by_sku
from daicho.interfaces.cli.demo.cast import Cast

TAGS = (
    ("NET-PREM", "Network Premier", "ネットワーク プレミア", "Network", "unenforced"),
    ("NET-ADV", "Network Advantage", "ネットワーク アドバンテージ", "Network", "unenforced"),
    ("NET-ESS", "Network Essentials", "ネットワーク エッセンシャル", "Network", "unenforced"),
    ("WLS-ADV", "Wireless Advantage", "ワイヤレス アドバンテージ", "Wireless", "unenforced"),
    ("WLS-ESS", "Wireless Essentials", "ワイヤレス エッセンシャル", "Wireless", "unenforced"),
    ("SEC-PLUS", "Security Plus", "セキュリティ プラス", "Security", "unenforced"),
    ("SEC-STD", "Security Standard", "セキュリティ スタンダード", "Security", "unenforced"),
    ("SEC-CRYPTO", "Strong Encryption", "高強度暗号", "Security", "export_controlled"),
    ("FW-THREAT", "Threat Defense", "脅威防御", "Security", "enforced"),
    ("VPN-USER", "Remote Access per User", "リモートアクセス", "Security", "enforced"),
    ("SDW-1G", "SD-WAN 1 Gbps", "SD-WAN 1 Gbps", "WAN", "unenforced"),
    ("SDW-100M", "SD-WAN 100 Mbps", "SD-WAN 100 Mbps", "WAN", "unenforced"),
    ("OBS-HOST", "Observability per Host", "監視ホスト", "Operations", "unenforced"),
    ("AUTO-NODE", "Automation per Node", "自動化ノード", "Operations", "unenforced"),
    ("COL-USER", "Collaboration per User", "コラボレーション", "Collaboration", "unenforced"),
    ("STO-TB", "Storage per TB", "ストレージ", "Data center", "unenforced"),
    ("BKP-VM", "Backup per VM", "VMバックアップ", "Data center", "unenforced"),
)
LADDERS = (
    ("ネットワーク", ("NET-PREM", "NET-ADV", "NET-ESS")),
    ("ワイヤレス", ("WLS-ADV", "WLS-ESS")),
    ("セキュリティ", ("SEC-PLUS", "SEC-STD")),
    ("SD-WAN", ("SDW-1G", "SDW-100M")),
)
PRODUCTS = (
    ("KX-24", "KX24-A", "24-port access switch"), ("KX-24P", "KX24P-A", "24-port access switch, PoE"),
    ("KX-48", "KX48-A", "48-port access switch"), ("KX-48P", "KX48P-A", "48-port access switch, PoE"),
    ("KC-9500", "KC9500-32C", "Core switch"), ("KC-9600", "KC9600-CH", "Modular core switch"),
    ("KD-3400", "KD3400-48", "Data center switch"), ("KR-1100", "KR1100-8", "Branch router"),
    ("KR-4400", "KR4400-X", "Aggregation router"), ("KE-200", "KE200-2", "SD-WAN edge"),
    ("KE-800", "KE800-4", "SD-WAN hub"), ("KF-200", "KF200-A", "Firewall, small"),
    ("KF-800", "KF800-A", "Firewall, medium"), ("KF-2000", "KF2000-A", "Firewall, large"),
    ("KW-6", "KW6-I", "Access point, Wi-Fi 6"), ("KW-7", "KW7-I", "Access point, Wi-Fi 7"),
    ("KWC-50", "KWC50-A", "Wireless controller"), ("KV-Router", "KVR-VM", "Virtual router"),
    ("KV-Firewall", "KVF-VM", "Virtual firewall"), ("KV-Edge", "KVE-VM", "Virtual SD-WAN edge"),
    ("KM-Console", "KMC-SW", "Management console"), ("KO-Agent", "KOA-SW", "Observability agent"),
    ("KO-Collector", "KOC-SW", "Observability collector"), ("KA-Controller", "KAC-SW", "Automation controller"),
    ("KCM-Server", "KCM-SW", "Call manager"), ("KCP-Phone", "KCP-7", "Desk phone"),
    ("KS-Array", "KSA-100", "Storage array"), ("KB-Vault", "KBV-SW", "Backup server"),
)  # fmt: skip


def stock_catalog(cast: Cast) -> dict[str, object]:
    """Licenses, ladders and products; returns the license tags by SKU."""
    head = ["sku", "name", "name_ja", "family", "enforcement"]
    import_catalog(cast.operator, content="".join(csv_lines(head, TAGS)).encode())
    for name, skus in LADDERS:
        set_ladder(cast.operator, name=name, skus=skus)
    rows = [["Kumo Networks", *product] for product in PRODUCTS]
    content = "".join(csv_lines(["vendor", "model", "part_number", "description"], rows)).encode()
    import_catalog(cast.operator, content=content)
    return {tag.sku: tag for tag in tags_by_sku([row[0] for row in TAGS]).values()}


def product_uids(cast: Cast) -> dict[str, str]:
    """The products' handles by model."""
    return {product.name: product.uid for product in list_products(cast.operator, size=200).rows}
