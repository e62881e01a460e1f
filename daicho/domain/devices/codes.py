"""Codes that people carry and type between an offline device and Daicho (docs/device-protocol.md, Air-gapped): text ↔ bytes.

Crockford base32 in lines of five groups of five signs; the last sign of a line checks it, and its place in the text. The
check is a symbol of a Reed-Solomon code over GF(32): one wrong sign, two that changed places, and a line that is missing,
doubled or in another place are found for certain.
"""

from __future__ import annotations

import unicodedata

from daicho.domain.devices.errors import code_line_wrong, code_unreadable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP, GROUPS = 5, 5
DATA = GROUP * GROUPS - 1
"""Signs of a whole line without its check."""
MOST_LINES = 31
TYPED_LINES = 8
"""What a person may be asked to type: 40 groups, 120 bytes."""
_VALUES = {sign: value for value, sign in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_SKIPPED = frozenset(" -\t\r\n·.,:")


def _powers() -> tuple[list[int], dict[int, int]]:
    value, powers = 1, list[int]()
    for _exponent in range(31):
        powers.append(value)
        value = value << 1 if value < 16 else (value << 1) ^ 0b100101  # x^5 + x^2 + 1
    return powers, {value: exponent for exponent, value in enumerate(powers)}


_POWERS, _LOGARITHMS = _powers()


def check_symbol(line: int, symbols: list[int]) -> int:
    """What ends a line (from 0) of these symbols: Σ symbol · αⁱ, the first one at i = 1, the line's number at i = 25."""
    found = 0
    for exponent, symbol in [*enumerate(symbols, 1), (DATA + 1, line + 1)]:
        if symbol:
            found ^= _POWERS[(_LOGARITHMS[symbol] + exponent) % 31]
    return found


def write(content: bytes) -> str:
    """The text of at most 465 bytes: lines of groups, the last one filled up to a whole group with zeros."""
    bits = int.from_bytes(content, "big") << (-8 * len(content) % 5)
    count = -(-8 * len(content) // 5)
    symbols = [bits >> 5 * (count - 1 - at) & 31 for at in range(count)]
    symbols += [0] * ((-(count % DATA) - 1) % GROUP if count % DATA else 0)
    lines = [symbols[at : at + DATA] for at in range(0, len(symbols), DATA)]
    if len(lines) > MOST_LINES:
        raise ValueError(f"{len(content)} bytes are too many for a code")
    return "\n".join(_grouped([*line, check_symbol(number, line)]) for number, line in enumerate(lines))


def read(text: str) -> bytes:
    """The bytes of a code, zeros at its end included, however it was typed: spaces, hyphens, full width, small letters,
    O for 0, I and L for 1. Raises `code_unreadable`, `code_line_wrong` with the number of the line (from 1)."""
    signs = [sign for sign in unicodedata.normalize("NFKC", text).upper() if sign not in _SKIPPED]
    if not signs or len(signs) > MOST_LINES * (DATA + 1):
        raise code_unreadable()
    symbols = list[int]()
    for number, start in enumerate(range(0, len(signs), DATA + 1)):
        values = [_VALUES.get(sign) for sign in signs[start : start + DATA + 1]]
        line = [value for value in values if value is not None]
        if len(line) < len(values) or len(line) % GROUP or check_symbol(number, line[:-1]) != line[-1]:
            raise code_line_wrong(number + 1)
        symbols += line[:-1]
    bits = 0
    for symbol in symbols:
        bits = bits << 5 | symbol
    spare = 5 * len(symbols) % 8
    if bits & ((1 << spare) - 1):
        raise code_unreadable()
    return (bits >> spare).to_bytes(5 * len(symbols) // 8, "big")


def is_typed(text: str) -> bool:
    """Whether a person may be asked to type it."""
    return text.count("\n") < TYPED_LINES


def packed(text: str) -> str:
    """The signs alone, as a QR code carries them (alphanumeric mode)."""
    return "".join(sign for sign in text if sign not in _SKIPPED)


def _grouped(symbols: list[int]) -> str:
    signs = "".join(ALPHABET[symbol] for symbol in symbols)
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))
