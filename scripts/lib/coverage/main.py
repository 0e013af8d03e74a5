# SPDX-License-Identifier: GPL-2.0-only
"""The table of what is covered, and the list of what is not, held against docs/coverage.md."""

import argparse
import re
import sys
from pathlib import Path

from coverage.counts import Counts, File
from harness.shell import Failure

REASONS = Path("docs/coverage.md")
WANTED_PERCENT = 95.0
# A row of the page: a file, a line as it stands in there, and why no test reaches it.
_ROW = re.compile(r"\| `(?P<file>[^`]+)` \| `(?P<text>.+)` \| (?P<reason>[^|]+) \|")


def _percent(hit: int, total: int) -> str:
    return f"{100 * hit / total:6.1f}" if total else "     -"


def _row(name: str, lines: tuple[int, int], branches: tuple[int, int]) -> str:
    return (
        f"{name:36} {lines[0]:5}/{lines[1]:<5}{_percent(*lines)} %"
        f" {branches[0]:6}/{branches[1]:<6}{_percent(*branches)} %"
    )


def _sums(file: File) -> tuple[tuple[int, int], tuple[int, int]]:
    hit = sum(count > 0 for count in file.lines.values())
    branches = [count for counts in file.branches.values() for count in counts]
    return (hit, len(file.lines)), (sum(count > 0 for count in branches), len(branches))


def _table(counts: Counts) -> float:
    """Print it; the part of all lines that was reached, in percent."""
    print(f"{'':36} {'lines':18}   {'branches':20}")
    total = [0, 0, 0, 0]
    for name, file in sorted(counts.files.items()):
        lines, branches = _sums(file)
        print(_row(name, lines, branches))
        total = [a + b for a, b in zip(total, lines + branches)]
    print(_row("all", (total[0], total[1]), (total[2], total[3])))
    return 100 * total[0] / max(total[1], 1)


def _reasons() -> set[tuple[str, str]]:
    text = REASONS.read_text(encoding="utf-8") if REASONS.exists() else ""
    return {(match["file"], match["text"]) for match in _ROW.finditer(text)}


def _unexplained(counts: Counts) -> list[str]:
    known = _reasons()
    found = []
    for name, file in sorted(counts.files.items()):
        text = Path(name).read_text(encoding="utf-8").splitlines()
        for number in file.uncovered():
            line = text[number - 1].strip().replace("|", "\\|")
            if (name, line) not in known:
                found.append(f"{name}:{number}: {line}")
    return found


def main(argv: list[str]) -> int:
    """Sum up and judge; the exit code."""
    parser = argparse.ArgumentParser(prog="coverage")
    parser.add_argument("notes", type=Path, help="the folder of the modules")
    parser.add_argument("sent", type=Path, nargs="+", help="what guests have sent")
    options = parser.parse_args(argv)
    counts = Counts(options.notes)
    try:
        for sent in options.sent:
            counts.add(sent)
    except Failure as failure:
        print(f"coverage: {failure}", file=sys.stderr)
        return 1
    reached = _table(counts)
    unexplained = _unexplained(counts)
    if unexplained:
        print(f"\nnot reached, and not in {REASONS}:")
        print("\n".join(unexplained))
    if reached < WANTED_PERCENT:
        print(f"\n{reached:.1f} % of the lines are too few: {WANTED_PERCENT} % are wanted")
    return 1 if unexplained or reached < WANTED_PERCENT else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
