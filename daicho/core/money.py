"""Amounts of money: a whole number of the smallest unit of a currency (ISO 4217), read and written as on an invoice."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

MOST = 2**53 - 1

# Active codes of ISO 4217 with the digits of their smallest unit, as of 2026; funds, metals and test codes left out.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE"
    " CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR"
    " KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB"
    " PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY"
    " TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
DIGITS: dict[str, int] = {
    code: digits for digits, codes in ((0, _WITHOUT), (2, _TWO), (3, _THREE)) for code in codes.split()
}
_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d*))?")


def value(amount: int, currency: str) -> int | Decimal:
    """The amount in whole units of its currency, with the decimals that the currency has."""
    digits = DIGITS[currency]
    return Decimal(amount).scaleb(-digits) if digits else amount


def number(amount: int, currency: str) -> str:
    """`1234.50`: as a program or a spreadsheet reads it, without separators."""
    return str(value(amount, currency))


def text(amount: int, currency: str) -> str:
    """`1,234.50 USD`: for people."""
    return f"{value(amount, currency):,} {currency}"


def read(written: str, currency: str) -> int | None:
    """What was written as on an invoice, in the smallest unit of the currency; None for what is no such amount.

    Full-width digits, thousands separators and a sign of the yen in front are read; more digits behind the point than
    the currency has are not, unless they are zeros. At most 2^53 − 1.
    """
    plain = unicodedata.normalize("NFKC", written).strip().lstrip("¥").rstrip("円").replace(" ", "")
    found = _NUMBER.fullmatch(plain)
    if found is None or currency not in DIGITS:
        return None
    digits, part = DIGITS[currency], (found[2] or "").rstrip("0")
    if len(part) > digits:
        return None
    value = int(found[1].replace(",", "")) * 10**digits + int(part.ljust(digits, "0") or 0)
    return value if value <= MOST else None
