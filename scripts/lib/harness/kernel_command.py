# SPDX-License-Identifier: GPL-2.0-only
"""The command scripts/kernel."""

import argparse
import sys

from harness import kernel
from harness.arch import ARCHES
from harness.dependencies import need, to_build
from harness.shell import Failure


def main() -> int:
    """Parse the command line and print the directory."""
    parser = argparse.ArgumentParser(
        prog="scripts/kernel",
        description="Make sure that a kernel is in the cache and print its directory.",
        epilog="The cache is $UNTWIST_CACHE, or else untwist/ in the user's cache directory.",
    )
    parser.add_argument("--arch", choices=ARCHES, default="x86_64")
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.12, 6.12-rt, kunit or a directory")
    options = parser.parse_args()
    arch = ARCHES[options.arch]
    try:
        need(*to_build(arch, options.kernel))
        print(kernel.directory(kernel.find(arch, options.kernel)))
    except Failure as failure:
        print(f"scripts/kernel: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
