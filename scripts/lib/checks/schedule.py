# SPDX-License-Identifier: GPL-2.0-only
"""Run the stages of the check, and tell of them as they go."""

import pathlib
import sys
import time

from checks.stage import Outcome, Running, Stage

AT_ONCE = 2  # a guest waits for much of its time
HEARTBEAT = 20.0  # seconds between two signs of life where lines cannot be rewritten


class _Ticker:
    """What runs, on one line."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, running: list[Running], done: int, total: int) -> None:
        text = ", ".join(f"{r.stage.title} ({r.seconds:.0f} s)" for r in running)
        line = f"[{done:2}/{total}] ... {text}"
        now = time.monotonic()
        if sys.stdout.isatty():
            print(f"\r\033[K{line[:120]}", end="", flush=True)
        elif now - self._last >= HEARTBEAT:
            print(line, flush=True)
            self._last = now


def _report(outcome: Outcome, done: int, total: int) -> None:
    clear = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{clear}[{done:2}/{total}] {outcome.stage.title}: {outcome.passed} passed, "
          f"{len(outcome.failures)} failed, {len(outcome.skips)} skipped "
          f"({outcome.seconds:.0f} s)", flush=True)
    if not outcome.failures:
        return
    for failure in outcome.failures:
        print(f"    FAILED {failure}")
    print(f"    the end of {outcome.log}:")
    for line in outcome.log.read_text(errors="replace").splitlines()[-30:]:
        print(f"    | {line.rstrip()}")
    sys.stdout.flush()


def _may_start(stage: Stage, running: list[Running]) -> bool:
    if stage.alone or any(r.stage.alone for r in running):
        return not running
    return len(running) < AT_ONCE


def run(stages: list[Stage], logs: pathlib.Path) -> list[Outcome]:
    """Run all stages, in order but for those that go side by side."""
    waiting = list(stages)
    running: list[Running] = []
    outcomes: list[Outcome] = []
    ticker = _Ticker()
    try:
        while waiting or running:
            while waiting and _may_start(waiting[0], running):
                running.append(Running(waiting.pop(0), logs))
            time.sleep(0.2)
            for r in list(running):
                outcome = r.outcome()
                if outcome:
                    running.remove(r)
                    outcomes.append(outcome)
                    _report(outcome, len(outcomes), len(stages))
            ticker.show(running, len(outcomes), len(stages))
    finally:
        for r in running:
            r.stop()
    return outcomes
