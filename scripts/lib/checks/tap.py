# SPDX-License-Identifier: GPL-2.0-only
"""Count the results in a stream of TAP or KTAP."""

import dataclasses
import re

RESULT = re.compile(
    r"^(?P<indent>\s*)(?P<not>not )?ok\b(?:\s+\d+)?(?:\s*-)?\s*(?P<name>[^#]*?)\s*"
    r"(?:#\s*(?P<directive>SKIP|TODO)\b[:\s]*(?P<reason>.*))?$",
    re.IGNORECASE,
)
PLAN = re.compile(r"^\s*1\.\.(\d+)")


@dataclasses.dataclass
class Result:
    """One test: its name, and why it was skipped, if it was."""

    name: str
    passed: bool
    skipped: str | None


def _leaf(match: re.Match[str], before: str) -> Result:
    """Make a result; cmocka puts a skipped test's name behind SKIP, and its reason a line above."""
    directive = (match["directive"] or "").upper()
    if directive != "SKIP":
        return Result(match["name"], not match["not"], None)
    if match["name"]:
        return Result(match["name"], True, match["reason"].strip())
    return Result(match["reason"].strip(), True, before.strip(" #\n"))


def parse(lines: list[str]) -> list[Result]:
    """Return the leaves: the line of a suite sums up what stands above it, deeper."""
    results: list[Result] = []
    pending: list[int] = []  # depths of leaves that no heading has summed up yet
    before = ""
    for line in lines:
        match = RESULT.match(line.rstrip("\n").expandtabs())
        if not match:
            before = line
            continue
        depth = len(match["indent"])
        deeper = [d for d in pending if d > depth]
        pending = [d for d in pending if d <= depth] + [depth]
        if not deeper:
            results.append(_leaf(match, before))
        elif match["not"] and all(r.passed for r in results[-len(deeper):]):
            results.append(Result(match["name"], False, None))
    return results


def shortfall(lines: list[str]) -> str | None:
    """Tell if a flat stream announced more results than it gave."""
    planned = given = 0
    for line in lines:
        plan = PLAN.match(line)
        if plan and not line[0].isspace():
            planned += int(plan[1])
        elif RESULT.match(line.rstrip("\n")) and not line[0].isspace():
            given += 1
    if planned > given:
        return f"{planned} results announced, {given} given"
    return None
