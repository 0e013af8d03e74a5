# SPDX-License-Identifier: GPL-2.0-only
"""Run one stage of the check and judge it."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

from checks import tap

HEARTBEAT = 20.0  # seconds between two signs of life where lines cannot be rewritten


@dataclasses.dataclass
class Stage:
    """A command, and how to read it.

    name: short, for --only and the name of the log
    title: for people
    command: run in the top folder
    counts: its output is TAP; otherwise its exit code is the one result
    budget: seconds after which it hangs
    """

    name: str
    title: str
    command: list[str]
    counts: bool = True
    budget: int = 1200


@dataclasses.dataclass
class Outcome:
    stage: Stage
    passed: int
    failures: list[str]
    skips: list[str]
    seconds: float
    log: pathlib.Path


def _clock(stage: Stage, position: str, started: float, last: float) -> float:
    now = time.monotonic()
    if sys.stdout.isatty():
        print(f"\r{position} {stage.title} ... {now - started:.0f} s", end="", flush=True)
    elif now - last >= HEARTBEAT:
        print(f"{position} {stage.title} ... {now - started:.0f} s", flush=True)
        return now
    return last


def _execute(stage: Stage, position: str, log: pathlib.Path) -> int | None:
    """Return the exit code, or None if the budget ran out."""
    started = last = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen(stage.command, stdout=out, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            while True:
                try:
                    return child.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    last = _clock(stage, position, started, last)
                if time.monotonic() - started > stage.budget:
                    return None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
                try:
                    child.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()


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


def run(stage: Stage, position: str, logs: pathlib.Path) -> Outcome:
    """Run a stage, say how it went in one line, and what failed in more."""
    log = logs / f"{stage.name}.log"
    started = time.monotonic()
    code = _execute(stage, position, log)
    seconds = time.monotonic() - started
    lines = log.read_text(errors="replace").splitlines(keepends=True)
    passed, failures, skips = _judge(stage, code, lines)
    clear = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{clear}{position} {stage.title}: {passed} passed, {len(failures)} failed, "
          f"{len(skips)} skipped ({seconds:.0f} s)", flush=True)
    if failures:
        for failure in failures:
            print(f"    FAILED {failure}")
        print(f"    the end of {log}:")
        for line in lines[-30:]:
            print(f"    | {line.rstrip()}")
        sys.stdout.flush()
    return Outcome(stage, passed, failures, skips, seconds, log)
