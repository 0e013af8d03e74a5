# SPDX-License-Identifier: GPL-2.0-only
"""SLIP and COBS as the peer at the other end speaks them, written apart from the driver."""

from collections.abc import Callable
from dataclasses import dataclass


def _slip(record: bytes) -> bytes:
    return b"\xc0" + record.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def _unslip(content: bytes) -> bytes:
    return content.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


def _cobs(record: bytes) -> bytes:
    # Each piece between zeroes, with the zero that is thought behind the last one.
    frame = b""
    for piece in record.split(b"\0"):
        while len(piece) >= 254:
            frame, piece = frame + b"\xff" + piece[:254], piece[254:]
        frame += bytes([len(piece) + 1]) + piece
    return frame + b"\0"


def _uncobs(content: bytes) -> bytes:
    record = b""
    while content:
        code, block = content[0], content[1 : content[0]]
        if len(block) != code - 1:
            raise ValueError(f"block of {code} ends after {len(block) + 1}")
        content = content[code:]
        record += block + (b"\0" if content and code < 255 else b"")
    return record


@dataclass(frozen=True)
class Framing:
    """One way to frame: how, its delimiter, and the way back from what is between two of them."""

    frame: Callable[[bytes], bytes]
    delimiter: bytes
    unframe: Callable[[bytes], bytes]


FRAMINGS = {"slip": Framing(_slip, b"\xc0", _unslip), "cobs": Framing(_cobs, b"\0", _uncobs)}
