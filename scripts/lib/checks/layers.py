# SPDX-License-Identifier: GPL-2.0-only
"""Hold the #include lines against the house's plan: who may see whom.

Each folder lists what its files may include; a line that is in no list is an arrow that runs up.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)

SYSTEM = r"<(?!untwist/|linux/untwist|uapi/linux/untwist).*>"
PUBLIC = r"<untwist/\w+\.h>"
TESTING = r"<untwist/testing/\w+\.h>"
UAPI = r"<(uapi/)?linux/untwist(_\w+)?\.h>"
BESIDE = r'"[\w-]+\.h"'


def _library(*layers: str) -> list[str]:
    return [SYSTEM, PUBLIC, BESIDE] + [f'"{layer}/[\\w-]+\\.h"' for layer in layers]


# The first folder that a file lies in counts.
MAY_INCLUDE: list[tuple[str, list[str]]] = [
    ("kmod/include/uapi", [r"<linux/(types|ioctl|const|untwist)\.h>"]),
    ("kmod/include", [SYSTEM, UAPI]),
    ("kmod/drivers/framing", [SYSTEM, UAPI, BESIDE]),
    ("kmod/drivers/serdev", [SYSTEM, UAPI, BESIDE]),
    ("kmod/drivers", [SYSTEM, UAPI]),
    ("kmod", [SYSTEM, UAPI, BESIDE]),
    ("kunit", [SYSTEM, UAPI, BESIDE, r'"\.\./kmod/\w+\.h"']),
    ("userspace/include", [SYSTEM, PUBLIC, BESIDE]),
    ("userspace/lib/base", _library("base")),
    ("userspace/lib/reactor", _library("base", "reactor")),
    ("userspace/lib/deferred", _library("base", "reactor", "deferred")),
    ("userspace/lib/task", _library("base", "reactor", "deferred", "task")),
    ("userspace/lib/thread", _library("base", "reactor", "deferred", "thread")),
    ("userspace/lib/transport", _library("base", "reactor", "deferred", "transport") + [UAPI]),
    ("userspace/lib/log", _library("base", "transport", "log")),
    ("userspace/lib/protocol", _library("base", "transport", "protocol")),
    ("userspace/lib/endpoint", _library("base", "protocol", "endpoint")),
    ("userspace/lib/service", _library("base", "service")),
    ("userspace/testing", [SYSTEM, PUBLIC, TESTING]),
    ("userspace/tools", [SYSTEM, PUBLIC, BESIDE, r'"[\w-]+/[\w-]+\.h"', UAPI]),
    ("userspace/bench", [SYSTEM, PUBLIC, UAPI, BESIDE]),
    ("userspace/examples", [SYSTEM, PUBLIC, UAPI, TESTING]),
]


def _rules(path: str) -> list[str] | None:
    for folder, rules in MAY_INCLUDE:
        if path.startswith(folder + "/"):
            return rules
    return None


def main() -> int:
    wrong = 0
    for path in sorted(pathlib.Path(".").glob("[ku]*/**/*.[ch]")):
        rules = _rules(path.as_posix())
        if rules is None:
            continue  # tests may look at everything
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            close = ">" if match[1] == "<" else '"'
            target = f"{match[1]}{match[2]}{close}"
            if not any(re.fullmatch(rule, target) for rule in rules):
                line = text.count("\n", 0, match.start(1)) + 1
                print(f"{path}:{line}: must not include {target}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
