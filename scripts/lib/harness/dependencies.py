# SPDX-License-Identifier: GPL-2.0-only
"""Having scripts/deps install what a job needs, once the job is known."""

import subprocess
from pathlib import Path

from harness.arch import Arch
from harness.shell import Failure

DEPS = Path(__file__).resolve().parents[2] / "deps"


def need(*groups: str) -> None:
    """Make sure of these groups of scripts/deps."""
    if subprocess.run([DEPS, *groups], stdout=2, check=False).returncode != 0:
        raise Failure("some needed programs are missing")


def to_build(arch: Arch, kernel: str) -> list[str]:
    """The groups for fetching KERNEL for ARCH and building modules for it."""
    groups = ["kernel-build"]
    if not arch.native:
        groups.append("cross")
    if kernel == "kunit":
        groups.append("kunit")
    return groups


def to_boot(arch: Arch) -> list[str]:
    """The groups for booting a guest of ARCH."""
    return ["guest", "vm" if arch.name == "x86_64" else "vm-arm"]
