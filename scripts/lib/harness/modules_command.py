# SPDX-License-Identifier: GPL-2.0-only
"""The command scripts/modules."""

import argparse
import sys
from pathlib import Path

from harness import kernel, modules
from harness.arch import ARCHES
from harness.dependencies import need, to_build
from harness.shell import Failure


def main() -> int:
    """Parse the command line and print the directory."""
    parser = argparse.ArgumentParser(
        prog="scripts/modules",
        description="Build Untwist's modules against a kernel and print the directory of the "
        ".ko files. A warning of the compiler is a failure.",
    )
    parser.add_argument("--arch", choices=ARCHES, default="x86_64")
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.12, 6.12-rt, kunit or a directory")
    parser.add_argument("--source", type=Path, help="another directory with a Kbuild file")
    parser.add_argument("--sparse", action="store_true", help="have sparse check the sources")
    parser.add_argument("--coverage", action="store_true", help="have them count what is reached")
    options = parser.parse_args()
    arch = ARCHES[options.arch]
    try:
        need(*to_build(arch, options.kernel), *(["sparse"] if options.sparse else []))
        source = options.source.resolve() if options.source else modules.TOP
        found = kernel.find(arch, options.kernel)
        print(modules.build(modules.Job(found, source, options.sparse, options.coverage)))
    except Failure as failure:
        print(f"scripts/modules: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
