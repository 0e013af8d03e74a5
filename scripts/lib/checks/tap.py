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


@dataclasses.dataclass
class _Open:
    """A result that becomes a heading if results of a lower level came before it."""

    depth: int
    result: Result


def parse(lines: list[str]) -> list[Result]:
    """Return the leaves: the line of a suite sums up what stands above it, deeper."""
    results: list[Result] = []
    pending: list[int] = []  # depths of leaves that no heading has summed up yet
    for line in lines:
        match = RESULT.match(line.rstrip("\n").expandtabs())
        if not match:
            continue
        depth = len(match["indent"])
        failed = bool(match["not"])
        deeper = [d for d in pending if d > depth]
        pending = [d for d in pending if d <= depth]
        pending.append(depth)
        if deeper:
            if failed and all(r.passed for r in results[-len(deeper):]):
                results.append(Result(match["name"], False, None))
            continue
        skipped = None
        if match["directive"] and match["directive"].upper() == "SKIP":
            skipped = match["reason"].strip()
        results.append(Result(match["name"], not failed, skipped))
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
