# SPDX-License-Identifier: GPL-2.0-only
"""clang-tidy over sources, where those that were found clean before are not asked about again.

It takes minutes, and depends on nothing but what the compiler reads. That, comments included since
they may silence it, and the settings are the key under which a clean source is remembered.

Usage: python3 scripts/lib/checks/tidy.py BUILD-FOLDER SOURCE...
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import cache  # noqa: E402

UNUSED_DAYS = 30
NOISE = re.compile(r"^\d+ warnings? (generated|treated)|^$|^Suppressed|^Use -")
# Options that take a file as their next word, and make one.
WITH_OUTPUT = ("-o", "-MQ", "-MF")


def _preprocessor(command: str) -> list[str]:
    words = shlex.split(command)
    if pathlib.Path(words[0]).name == "ccache":
        words = words[1:]
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word in ("-MD", "-c", *WITH_OUTPUT):
            skip = word in WITH_OUTPUT
            continue
        kept.append(word)
    # Without line markers: they have the paths of this clone.
    return [*kept, "-E", "-CC", "-P"]


def _settings(source: pathlib.Path) -> list[str]:
    return [
        (folder / ".clang-tidy").read_text(encoding="utf-8")
        for folder in source.parents
        if (folder / ".clang-tidy").exists()
    ]


def _key(version: str, source: pathlib.Path, entry: dict[str, str]) -> str:
    seen = subprocess.run(_preprocessor(entry["command"]), cwd=entry["directory"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return cache.digest([version, entry["command"], source.read_bytes(), seen,
                         *_settings(source)])


def _tidy(folder: str, source: pathlib.Path) -> tuple[bool, str]:
    done = subprocess.run(
        ["clang-tidy", "--quiet", "-p", folder, "--warnings-as-errors=*", str(source)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    said = "\n".join(line for line in done.stdout.splitlines() if not NOISE.search(line))
    return done.returncode == 0, said


def _forget_unused(clean: pathlib.Path) -> None:
    oldest = time.time() - UNUSED_DAYS * 86400
    for mark in clean.iterdir():
        if mark.stat().st_mtime < oldest:
            mark.unlink(missing_ok=True)


def main(folder: str, names: list[str]) -> int:
    clean = cache.root() / "tidy"
    clean.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True,
                             text=True).stdout
    commands = json.loads(pathlib.Path(folder, "compile_commands.json").read_text("utf-8"))
    entries = {str(pathlib.Path(e["directory"], e["file"]).resolve()): e for e in commands}

    def check(name: str) -> tuple[bool, str]:
        source = pathlib.Path(name).resolve()
        if str(source) not in entries:
            # For a build that lacks a library; clang-tidy goes by how its neighbours are compiled.
            return _tidy(folder, source)
        mark = clean / _key(version, source, entries[str(source)])
        if mark.exists():
            mark.touch()
            return True, ""
        passed, said = _tidy(folder, source)
        if passed:
            mark.touch()
        return passed, said

    status = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for passed, said in pool.map(check, names):
            if said:
                print(said)
            if not passed:
                status = 1
    _forget_unused(clean)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
