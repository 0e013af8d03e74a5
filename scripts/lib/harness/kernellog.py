# SPDX-License-Identifier: GPL-2.0-only
"""Finding in a kernel log what must not be there."""

import re
from dataclasses import dataclass

# Taken with the colon or wording of the report, since the instruments also greet at boot.
_REPORT = re.compile(
    r"kernel BUG at|BUG: |WARNING: |Oops|Internal error|general protection|Kernel panic"
    r"|Unable to handle kernel|KASAN: |KCSAN: |UBSAN: |KFENCE: |refcount_t: "
    r"|possible (?:recursive|circular)|inconsistent lock|suspicious RCU"
    r"|Invalid wait context|sleeping function called|scheduling while atomic"
    r"|INFO: task .* blocked|soft lockup|hard LOCKUP|rcu.*(?:detected|self-detected).*stall"
    r"|workqueue lockup|ODEBUG: (?:free|init|activate|assert_init|object|destroy)"
    r"|unreferenced object|list_(?:add|del) corruption|nobody cared|Call [Tt]race:"
)

# The trace that follows is one that fault injection was asked to print.
_INJECTED = re.compile(r"FAULT_INJECTION: forcing a failure")
_TRACE = re.compile(r"Call [Tt]race:")

_LINES_BEFORE = 3
_LINES_AFTER = 60

# Taints that a bug leaves: bad page, died, warned, lockup. Out-of-tree, unsigned and test
# modules taint as well, and that is what is loaded here.
_BAD_TAINTS = {5: "bad page", 7: "died", 9: "warned", 14: "soft lockup"}


@dataclass(frozen=True)
class Report:
    """The first report in a log, with the lines around it."""

    text: str
    count: int


def clean(raw: bytes) -> list[str]:
    """The lines of a serial console's output."""
    return raw.decode(errors="replace").replace("\r", "").splitlines()


def find_reports(lines: list[str]) -> Report | None:
    """The first report in LINES, and how many lines look like one."""
    hits = []
    injected = False
    for number, line in enumerate(lines):
        if _INJECTED.search(line):
            injected = True
        elif injected and _TRACE.search(line):
            injected = False
        elif _REPORT.search(line):
            hits.append(number)
    if not hits:
        return None
    start = max(hits[0] - _LINES_BEFORE, 0)
    return Report("\n".join(lines[start : hits[0] + _LINES_AFTER]), len(hits))


def bad_taints(taint: int) -> list[str]:
    """The words for what went wrong, from the kernel's taint bits."""
    return [word for bit, word in _BAD_TAINTS.items() if taint & 1 << bit]
