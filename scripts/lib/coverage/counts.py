# SPDX-License-Identifier: GPL-2.0-only
"""What gcov counted, by file and line, summed over several runs."""

import collections
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from harness import arch as arches
from harness.shell import Failure


@dataclass
class File:
    """Counts of one source file: of each line, and of each branch that a line has."""

    lines: collections.Counter[int] = field(default_factory=collections.Counter)
    branches: dict[int, list[int]] = field(default_factory=dict)

    def add(self, line: dict) -> None:
        """Add what one object file says of one line."""
        number = line["line_number"]
        self.lines[number] += line["count"]
        counts = [branch["count"] for branch in line["branches"]]
        have = self.branches.setdefault(number, [])
        # Inlined elsewhere, a line may have other branches: those in common are summed.
        have += [0] * (len(counts) - len(have))
        for place, count in enumerate(counts):
            have[place] += count

    def uncovered(self) -> list[int]:
        """The numbers of the lines that were never reached."""
        return sorted(number for number, count in self.lines.items() if not count)


class Counts:
    """The files of the modules in NOTES, the folder that their build left."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self.files: dict[str, File] = collections.defaultdict(File)

    def add(self, sent: Path) -> None:
        """Add what guests have sent."""
        with tempfile.TemporaryDirectory(prefix="untwist-coverage-") as name:
            with sent.open("rb") as stream:
                for line in stream:
                    size, _, file = line.decode().strip().partition(" ")
                    self._read(Path(name), self._place(file), stream.read(int(size)))

    def _place(self, file: str) -> Path:
        """Where in NOTES the notes lie that belong to a file of counts."""
        parts = Path(file).parts
        for start in range(1, len(parts)):
            where = Path(*parts[start:])
            if (self._notes / where).with_suffix(".gcno").exists():
                return where
        raise Failure(f"{self._notes} has no notes for {file}")

    def _read(self, folder: Path, where: Path, data: bytes) -> None:
        counts = folder / where
        counts.parent.mkdir(parents=True, exist_ok=True)
        counts.write_bytes(data)
        shutil.copy((self._notes / where).with_suffix(".gcno"), counts.with_suffix(".gcno"))
        # The one that belongs to the compiler of the modules.
        gcov = arches.host().compiler().replace("gcc", "gcov")
        done = subprocess.run(
            [gcov, "--json-format", "--stdout", "--branch-probabilities", counts],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        for file in json.loads(done.stdout)["files"]:
            source = _source(file["file"], where)
            if source:
                for line in file["lines"]:
                    self.files[source].add(line)


def _source(file: str, where: Path) -> str | None:
    """The path of a source from the top of the tree, or None for one of the kernel's."""
    parts = Path(file).parts
    if "kmod" not in parts:
        return None
    # A path like kunit/../kmod/x.h is only made whole here.
    start = len(parts) - 1 - parts[::-1].index("kmod")
    return str(Path(*parts[start:]))
