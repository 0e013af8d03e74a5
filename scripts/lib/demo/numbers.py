# SPDX-License-Identifier: GPL-2.0-only
"""The demo's input, and what must come out of it, worked out here once more.

Usage: python3 -m demo.numbers FOLDER LINES SEED

Writes into FOLDER: numbers (the input), answers (standard output) and errors (standard error).
"""

import math
import pathlib
import random
import sys

LARGEST = 12  # 13! does not fit in the 32 bits of the unit
SHOWN = 32  # bytes of a strange line that an error shows

MALFORMED = ["", "abc", "3.5", "0x5", "7 8", "-", "--1", "twelve", "1e3", "12!", "\t", "x" * 40]
OUT_OF_RANGE = ["13", "-1", "100", "99999999999999999999", "+14", "-007"]


def _line(rng: random.Random) -> str:
    """Mostly a number as people write them, now and then something else."""
    kind = rng.random()
    if kind < 0.02:
        return rng.choice(MALFORMED)
    if kind < 0.04:
        return rng.choice(OUT_OF_RANGE)
    number = str(rng.randint(0, LARGEST))
    return rng.choice([number] * 8 + [f" {number}", f"{number}\r", f"0{number}", f"+{number}"])


def _expected(number: int, line: str) -> tuple[str | None, str | None]:
    """What a line leads to: an answer or an error."""
    text = line.strip(" \t\r")
    shown = text[:SHOWN] + ("..." if len(text) > SHOWN else "")
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isdigit():
        return None, f'line {number}: "{shown}" is not a number'
    value = int(text)
    if not 0 <= value <= LARGEST:
        return None, f"line {number}: {shown} is out of range (0 to {LARGEST})"
    return f"{value}! = {math.factorial(value)}", None


def _write(path: pathlib.Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))


def main(folder: str, lines: str, seed: str) -> None:
    rng = random.Random(int(seed))
    numbers = [_line(rng) for _ in range(int(lines))]
    expected = [_expected(i, line) for i, line in enumerate(numbers, 1)]
    base = pathlib.Path(folder)
    _write(base / "numbers", numbers)
    _write(base / "answers", [answer for answer, _ in expected if answer is not None])
    _write(base / "errors", [error for _, error in expected if error is not None])


if __name__ == "__main__":
    main(*sys.argv[1:])
