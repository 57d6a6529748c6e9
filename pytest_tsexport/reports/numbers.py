"""Numbers as text, with just enough digits that two different numbers read differently."""

from __future__ import annotations

MOST_DIGITS = 16
"""Digits after the point: within them, any two different floats differ."""


def distinguishable(one: float, other: float) -> tuple[str, str]:
    """Both numbers in scientific notation. Different numbers never read the same.

    >>> distinguishable(3.14e-4, 9.92e-5)
    ('3.1e-04', '9.9e-05')
    >>> distinguishable(1.0001e-4, 1e-4)
    ('1.0001e-04', '1.0000e-04')
    >>> distinguishable(0.0, 1e-4)
    ('0', '1.0e-04')
    """
    for digits in range(1, MOST_DIGITS + 1):
        texts = _scientific(one, digits), _scientific(other, digits)
        if texts[0] != texts[1] or one == other:
            break
    return texts


def seconds(value: float) -> str:
    """A duration in seconds, for a table: with tenths below a hundred, rounded above.

    >>> seconds(3.21), seconds(214.6)
    ('3.2 s', '215 s')
    """
    return f"{value:.1f} s" if value < 99.95 else f"{value:.0f} s"


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s unless the number is 1.

    >>> counted(1, "subject"), counted(20, "subject")
    ('1 subject', '20 subjects')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _scientific(value: float, digits: int) -> str:
    return "0" if value == 0 else f"{value:.{digits}e}"
