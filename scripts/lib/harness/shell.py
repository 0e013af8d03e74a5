# SPDX-License-Identifier: GPL-2.0-only
"""Running other programs, and the one error that ends a script with a message."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class Failure(Exception):
    """Something outside this program is wrong; the message is for the person who called it."""


def note(message: str) -> None:
    """Tell what takes time, on standard error so that results can be captured."""
    print(f"untwist: {message}", file=sys.stderr, flush=True)


def output(argv: Sequence[str | Path]) -> str:
    """The standard output of ARGV; a Failure with its standard error when it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Failure(f"{argv[0]}: command not found") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise Failure(f"{' '.join(map(str, argv))}: failed ({done.returncode})\n{said}")
    return done.stdout.decode(errors="replace")


def pipeline(first: Sequence[str | Path], second: Sequence[str | Path]) -> None:
    """Run FIRST | SECOND; a Failure when either fails."""
    with subprocess.Popen(first, stdout=subprocess.PIPE) as producer:
        consumer = subprocess.run(second, stdin=producer.stdout, check=False)
    if producer.returncode != 0 or consumer.returncode != 0:
        commands = f"{' '.join(map(str, first))} | {' '.join(map(str, second))}"
        raise Failure(f"{commands}: failed ({producer.returncode}, {consumer.returncode})")
