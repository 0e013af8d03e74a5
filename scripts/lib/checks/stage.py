# SPDX-License-Identifier: GPL-2.0-only
"""One stage of the check: start it, see whether it has ended, judge it."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import time

from checks import tap


@dataclasses.dataclass
class Stage:
    """A command, and how to read it.

    name: short, for --only and the name of the log
    title: for people
    command: run in the top folder
    counts: its output is TAP; otherwise its exit code is the one result
    budget: seconds after which it hangs
    alone: it builds what others use, or has all processors busy
    """

    name: str
    title: str
    command: list[str]
    counts: bool = True
    budget: int = 1200
    alone: bool = False


@dataclasses.dataclass
class Outcome:
    stage: Stage
    passed: int
    failures: list[str]
    skips: list[str]
    seconds: float
    log: pathlib.Path


def _judge(stage: Stage, code: int | None, lines: list[str]) -> tuple[int, list[str], list[str]]:
    if not stage.counts:
        if code == 0:
            return 1, [], []
        return 0, [f"exit code {code}" if code is not None else "hangs"], []
    results = tap.parse(lines)
    failures = [r.name for r in results if not r.passed]
    skips = [f"{r.name}: {r.skipped or 'no reason given'}" for r in results if r.skipped is not None]
    failures += [f"skipped without a reason: {r.name}" for r in results if r.skipped == ""]
    passed = sum(r.passed and r.skipped is None for r in results)
    if code is None:
        failures.append(f"hangs: stopped after {stage.budget} s")
    elif code and not failures:
        failures.append(f"exit code {code}")
    short = tap.shortfall(lines)
    if short:
        failures.append(short)
    if not results:
        failures.append("ran nothing")
    return passed, failures, skips


class Running:
    """A stage that was started."""

    def __init__(self, stage: Stage, logs: pathlib.Path):
        self.stage = stage
        self.log = logs / f"{stage.name}.log"
        self._started = time.monotonic()
        with self.log.open("wb") as out:
            self._child = subprocess.Popen(stage.command, stdout=out, stderr=subprocess.STDOUT,
                                           stdin=subprocess.DEVNULL, start_new_session=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def stop(self) -> None:
        """End it, and all that it started."""
        if self._child.poll() is not None:
            return
        os.killpg(self._child.pid, signal.SIGTERM)
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def outcome(self) -> Outcome | None:
        """Say how it went, or None while it runs."""
        code = self._child.poll()
        if code is None:
            if self.seconds <= self.stage.budget:
                return None
            self.stop()
        lines = self.log.read_text(errors="replace").splitlines(keepends=True)
        passed, failures, skips = _judge(self.stage, code, lines)
        return Outcome(self.stage, passed, failures, skips, self.seconds, self.log)
