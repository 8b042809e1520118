"""Card numbers: ten symbols, of which eight are drawn at random and two check. Pure but for the draw.

Longer numbers of the same kind are harder to guess: vouchers draw twelve.

The alphabet is Crockford's base 32. The check symbols are those of a Reed-Solomon code over GF(32), roots α and α²:
one or two wrong symbols, wherever they stand, and every swap of two symbols, are found.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
DRAWN, CHECKS = 8, 2
LENGTH = DRAWN + CHECKS

# Powers of α in GF(32) with x⁵ + x² + 1.
POWERS = [1]
while len(POWERS) < 31:
    doubled = POWERS[-1] << 1
    POWERS.append(doubled ^ 0b100101 if doubled & 32 else doubled)
LOGS = {value: power for power, value in enumerate(POWERS)}


def new_number(drawn_symbols: int = DRAWN) -> str:
    """A number that nobody can guess from another: 40 random bits, or five for each symbol drawn."""
    drawn = [secrets.randbelow(32) for _ in range(drawn_symbols)]
    return "".join(ALPHABET[value] for value in drawn + _checks(drawn))


def parse(text: str, drawn_symbols: int = DRAWN) -> str | None:
    """The number in what a person typed (spaces, dashes, small letters, O for 0), None if it is no card number."""
    symbols = [VALUE.get(symbol) for symbol in text.upper() if symbol not in " -\u00a0"]
    values = [value for value in symbols if value is not None]
    length = drawn_symbols + CHECKS
    if len(symbols) != length or len(values) != length or _checks(values[:drawn_symbols]) != values[drawn_symbols:]:
        return None
    return "".join(ALPHABET[value] for value in values)


def grouped(number: str) -> str:
    """As people read it: 7K4Q H2Z PW3."""
    return f"{number[:4]} {number[4:7]} {number[7:]}"


def _times(a: int, b: int) -> int:
    return POWERS[(LOGS[a] + LOGS[b]) % 31] if a and b else 0


def _checks(drawn: list[int]) -> list[int]:
    """The remainder of drawn · x² by (x + α)(x + α²)."""
    high = low = 0
    a, b = POWERS[1] ^ POWERS[2], POWERS[3]
    for value in drawn:
        factor = value ^ high
        high, low = low ^ _times(factor, a), _times(factor, b)
    return [high, low]
