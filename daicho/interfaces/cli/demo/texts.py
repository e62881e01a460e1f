"""Longer texts of the demonstration: two versions of the account agreement, guides for customers."""

from __future__ import annotations

FIRST = {
    "title_ja": "アカウント合意書",
    "title_en": "Account agreement",
    "text_ja": (
        "第1条（目的）\n本合意書は、お客様がスマートアカウントでライセンスを管理する際の条件を定めます。\n\n"
        "第2条（管理者）\nお客様は、管理者を1名以上置き、その連絡先を最新に保ちます。\n\n"
        "第3条（ライセンスの利用）\nライセンスは、購入した数量と期間の範囲で使用します。不足が生じたときは、速やかに解消します。\n\n"
        "第4条（データの取り扱い）\nアカウントに登録された情報は、ライセンスの管理とサポートのためにのみ使用します。"
    ),
    "text_en": (
        "1. Purpose\nThis agreement sets the terms on which you manage licenses in a Smart Account.\n\n"
        "2. Administrators\nYou keep at least one administrator, with current contact details.\n\n"
        "3. Use of licenses\nLicenses are used within the quantity and term that were bought. Shortages are made good promptly.\n\n"
        "4. Data\nWhat is kept in the account is used only for license management and support."
    ),
}
SECOND = {
    "title_ja": "アカウント合意書",
    "title_en": "Account agreement",
    "text_ja": FIRST["text_ja"]
    + "\n\n第5条（パートナーへの権限）\nパートナーに移譲する権限には期限を定め、不要になったときは取り消します。",
    "text_en": FIRST["text_en"]
    + "\n\n5. Rights of partners\nRights given to partners have an end, and are revoked when no longer needed.",
}
GUIDES = (
    ("スマートアカウントのはじめ方", "https://docs.kumo.example/ja/start", "ja", "document", None, False, True),
    ("ライセンスの移管と転用", "https://docs.kumo.example/ja/transfer", "ja", "document", None, False, True),
    ("はじめての注文と割り当て", "https://video.kumo.example/ja/orders", "ja", "video", 8, False, False),
    ("期限切れに備える", "https://video.kumo.example/ja/ends", "ja", "video", 12, True, False),
    (
        "Getting started with your Smart Account",
        "https://docs.kumo.example/en/start",
        "en",
        "document",
        None,
        False,
        True,
    ),
    (
        "Transfer licenses in two minutes",
        "https://video.kumo.example/en/transfer",
        "en",
        "video",
        2,
        False,
        False,
    ),
)
