# SPDX-License-Identifier: GPL-2.0-only
"""The check: what is run, in which order, and the summary."""

import argparse
import collections
import pathlib
import sys
import time

from checks import schedule
from checks.stage import Outcome, Stage

LOGS = pathlib.Path("build/check")


# Of the runner's self-test, a case for each way to judge a guest; scripts/tests/vm-selftest runs
# all, in three minutes.
RUNNER_CASES = ("@(a warning|an oops|use after free|lock order|a leak|no bug|slow command|"
                "powers off|added folder)")

# Of the tests with calls that fail, those of the parts that have most of them; one call of each
# test and kind, by chance. scripts/inject alone takes all of them, in an hour.
INJECTED = ("listener", "tcp", "unix", "datagram", "process", "deferred", "client", "tls", "log")

# Rounds of the hunt for lost wake-ups, where it is not the main one.
FEWER_ROUNDS = ("--rounds", "20000")


def _guest(arch: str, kernel: str, device: str = "edu", extra: tuple[str, ...] = (),
           note: str = "") -> Stage:
    """The device tests in one guest."""
    return Stage(
        f"device-{arch}-{kernel}",
        f"device tests, {arch}, {kernel}{note}",
        ["scripts/device-tests", "--arch", arch, "--kernel", kernel, "--device", device, *extra],
    )


def _stages(arm64_kunit: bool) -> list[Stage]:
    """Cheap ones first: a mistake in the style should not wait for the guests."""
    # RAM of Arm's virt machine starts beyond the 28 bits that edu's DMA reaches by default.
    wide_edu = "edu,dma_mask=0xffffffff"
    stages = [
        Stage("readme", "the documents", ["scripts/tests/readme"], alone=True),
        Stage("unit", "user space, as it ships", ["scripts/unit-tests", "plain"], alone=True),
        Stage("lint", "style and static checks", ["scripts/lint"]),
        Stage("unit-sanitize", "user space, ASan and UBSan", ["scripts/unit-tests", "sanitize"]),
        Stage("inject", "user space, with calls that fail", ["scripts/inject", "--most", "1",
                                                             "--seed", "1", *INJECTED]),
        Stage("unit-thread", "user space, TSan", ["scripts/unit-tests", "thread"]),
        Stage("fuzz-parsers", "fuzz the parsers, three seconds each",
              ["scripts/fuzz-parsers", "3"]),
        Stage("install", "install, and build against what is installed",
              ["scripts/tests/install"], alone=True),
        Stage("modules", "modules for every kernel, W=1 and sparse", ["scripts/tests/modules"],
              budget=3600, alone=True),
        Stage("vm", "the virtual machine runner itself",
              ["scripts/tests/vm-selftest", RUNNER_CASES], budget=2400),
        Stage("kunit", "KUnit, x86_64", ["scripts/kunit-tests", "--arch", "x86_64"], budget=2400),
        # On the other x86-64 ones the mask is edu's own, and its driver copies.
        _guest("x86_64", "6.12", wide_edu),
        _guest("x86_64", "6.1", extra=FEWER_ROUNDS),
        _guest("x86_64", "6.12-rt", extra=FEWER_ROUNDS),
        _guest("arm64", "6.12", wide_edu, extra=FEWER_ROUNDS),
        _guest("armhf", "6.12", wide_edu, extra=FEWER_ROUNDS),
        _guest("x86_64", "kunit", extra=("--leak-check",), note=", KASAN, lockdep, leaks"),
        Stage("fuzz-device", "wild system calls for half a minute, KASAN, lockdep",
              ["scripts/fuzz-device", "--minutes", "0.5"]),
        Stage("serdev", "a serial line with a live peer, x86_64", ["scripts/tests/serdev"]),
        Stage("serdev-arm64", "a serial line with a live peer, arm64",
              ["scripts/tests/serdev", "--arch", "arm64"]),
        Stage("new-driver", "a new driver from the template", ["scripts/tests/new-driver"]),
        Stage("driver-guide", "the steps of the driver guide", ["scripts/tests/driver-guide"]),
        Stage("tutorial", "the steps of the tutorial", ["scripts/tests/tutorial"]),
        Stage("tracing", "the sessions of docs/tracing.md", ["scripts/tests/tracing"]),
        Stage("dkms", "modules by DKMS", ["scripts/tests/dkms"], budget=2400),
        Stage("demo", "the demo", ["scripts/demo"], counts=False),
        Stage("listen", "the demo as a server", ["scripts/tests/listen"]),
        Stage("unbind", "the device goes in the middle of the demo",
              ["scripts/tests/unbind", "--kernel", "kunit"]),
    ]
    if arm64_kunit:
        stages.append(Stage("kunit-arm64", "KUnit, arm64",
                            ["scripts/kunit-tests", "--arch", "arm64"], budget=5400))
    return stages


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/check",
        description="Run all tests: user space on this machine, KUnit and the device tests in "
                    "virtual machines. The last line is the sum; the exit code is 0 if nothing "
                    "failed, 1 if something did.")
    parser.add_argument("--list", action="store_true", help="name the stages and stop")
    parser.add_argument("--only", metavar="NAME", action="append", default=[],
                        help="run this stage alone (may be given again)")
    parser.add_argument("--kunit-arm64", action="store_true",
                        help="run KUnit on arm64 as well (builds another kernel at first)")
    return parser.parse_args(argv)


def _chosen(args: argparse.Namespace) -> list[Stage]:
    stages = _stages(args.kunit_arm64 or "kunit-arm64" in args.only)
    known = [s.name for s in stages]
    for name in args.only:
        if name not in known:
            sys.exit(f'check: no stage "{name}"; there are: {" ".join(known)}')
    return [s for s in stages if not args.only or s.name in args.only]


def _summary(outcomes: list[Outcome], seconds: float) -> int:
    # Many tests may be skipped for one reason; the reason is what is wanted to be known.
    skips = collections.Counter((o.stage.title, s.partition(": ")[2])
                                for o in outcomes for s in o.skips)
    failures = [(o.stage.title, f) for o in outcomes for f in o.failures]
    print(f"\n{seconds / 60:.1f} minutes; logs are in {LOGS}")
    for (title, reason), count in skips.items():
        print(f"skipped: {title}: {count} because: {reason}")
    for title, text in failures:
        print(f"FAILED: {title}: {text}")
    passed = sum(o.passed for o in outcomes)
    print(f"{passed} passed, {len(failures)} failed, {skips.total()} skipped")
    return 1 if failures or not passed else 0


def main(argv: list[str]) -> int:
    args = _arguments(argv)
    stages = _chosen(args)
    if args.list:
        for s in stages:
            print(f"{s.name:24} {s.title}")
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    outcomes = schedule.run(stages, LOGS)
    return _summary(outcomes, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
