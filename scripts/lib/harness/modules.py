# SPDX-License-Identifier: GPL-2.0-only
"""Building Untwist's modules, or another tree of them, against one kernel.

The sources are copied to a directory of their own for each kernel, so that builds for different
kernels do not meet and nothing is left behind in the tree. A file is written there only when its
contents changed, which lets make rebuild exactly what it has to. The results are in the cache,
keyed by all that they are made of, so another clone of the same sources has them at once.

Another tree is one of drivers: it is built on top of Untwist's own modules for that kernel, and
finds the top of this one in the variable UNTWIST. The text of this file is part of the key of what
it makes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import cache
from harness.kernel import Kernel
from harness.shell import Failure, note, output

TOP = Path(__file__).resolve().parents[3]
BUILT = TOP / "build" / "modules"
# What of the tree goes into modules.
PARTS = ("Kbuild", "kmod", "kunit")
SUFFIXES = (".c", ".h", ".S")
SYMBOLS = "Module.symvers"
# Every edit makes another result.
UNUSED_DAYS = 3

_STEP = re.compile(r"  [A-Z]+ |make(\[\d+\])?: (Entering|Leaving)")
_COMPLAINT = re.compile(r"\b(warning|error)\b", re.IGNORECASE)
# Said by the kernel's build about the machine, not about the sources.
_NOT_OURS = re.compile(r"the compiler differs from the one|Skipping BTF generation")


@dataclass(frozen=True)
class Job:
    """What to build and how."""

    kernel: Kernel
    source: Path = TOP
    sparse: bool = False
    coverage: bool = False

    def sources(self) -> list[Path]:
        """The files of the source tree that modules are made of."""
        parts = PARTS if self.source == TOP else (".",)
        found: list[Path] = []
        for part in parts:
            path = self.source / part
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            found += [f for f in inside if f.is_file() and _is_source(f)]
        return found

    def place(self) -> Path:
        """The directory for builds of this source against this kernel."""
        kind = self.family
        if self.source != TOP:
            kind += "-" + cache.digest([str(self.source)])
        return BUILT / f"{kind}-{self.kernel.key}"

    @property
    def family(self) -> str:
        """What such results are called in the cache."""
        return "sparse" if self.sparse else "coverage" if self.coverage else "modules"

    def key(self, base: Path | None) -> str:
        """All that the result depends on."""
        tools = [output([self.kernel.arch.compiler(), "--version"])]
        if self.sparse:
            tools.append(output(["sparse", "--version"]))
        content = cache.digest(
            [
                Path(__file__).read_bytes(),
                cache.digest_files(self.source, self.sources()),
                base.name if base else "",
                *tools,
            ]
        )
        return f"{self.kernel.key}-{content}"


def _is_source(file: Path) -> bool:
    made = file.name.endswith(".mod.c")
    return not made and (file.name in ("Kbuild", "Makefile") or file.suffix in SUFFIXES)


def _mirror(job: Job, sources: list[Path], work: Path) -> None:
    """Make the sources in WORK those of JOB."""
    wanted = {file.relative_to(job.source): file for file in sources}
    if work.exists():
        for old in [f for f in work.rglob("*") if f.is_file() and _is_source(f)]:
            if old.relative_to(work) not in wanted:
                old.unlink()
    for relative, file in wanted.items():
        copy, data = work / relative, file.read_bytes()
        if not copy.exists() or copy.read_bytes() != data:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)


def _make(job: Job, work: Path, base: Path | None) -> None:
    kernel = job.kernel
    argv = [
        "make", "-C", str(kernel.build), f"M={work}", f"-j{os.cpu_count()}", "W=1",
        f"ARCH={kernel.arch.kernel_arch}", f"CROSS_COMPILE={kernel.arch.prefix}",
        f"CC={kernel.arch.compiler()}",
        # Type information for BPF would take pahole, and nothing here reads it.
        "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules",
    ]  # fmt: skip
    if base:
        argv += [f"UNTWIST={TOP}", f"KBUILD_EXTRA_SYMBOLS={base / SYMBOLS}"]
    if job.coverage:
        argv += ["UNTWIST_COVERAGE=y"]
    if job.sparse:
        argv += ["C=2", "CHECK=sparse", "CF=-D__CHECK_ENDIAN__ -Wno-context"]
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    complaints = [
        line
        for line in done.stdout.splitlines()
        if _COMPLAINT.search(line) and not _NOT_OURS.search(line)
    ]
    if done.returncode == 0 and not complaints:
        return
    how = "gave warnings" if done.returncode == 0 else "failed"
    said = "\n".join(line for line in done.stdout.splitlines() if not _STEP.match(line))
    raise Failure(f"building modules for {kernel.arch.name} {kernel.release} {how}:\n{said}")


def _collect(work: Path, result: Path) -> None:
    """Copy what the build made, and nothing an older one left, into RESULT."""
    order = (work / "modules.order").read_text(encoding="utf-8").split()
    if not order:
        raise Failure(f"{work}: the build made no modules")
    for line in order:
        # Named from the tree's top, or by full path before Linux 6.12; objects before 6.2.
        module = Path(work, Path(line).with_suffix(".ko"))
        shutil.copy(module, result / module.name)
    shutil.copy(work / SYMBOLS, result / SYMBOLS)
    # With these, gcov can read what a coverage build counts.
    for notes in work.rglob("*.gcno"):
        kept = result / notes.relative_to(work)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(notes, kept)


def _builder(job: Job, base: Path | None) -> Callable[[Path], None]:
    def make(result: Path) -> None:
        place = job.place()
        with cache.lock(f"build-{cache.digest([str(place)])}"):
            note(f"building modules for {job.kernel.arch.name} {job.kernel.release}")
            work = place / "work"
            _mirror(job, job.sources(), work)
            try:
                _make(job, work, base)
                _collect(work, result)
            except Failure:
                # What was compiled with a warning would be silent the next time.
                shutil.rmtree(work)
                raise

    return make


def build(job: Job) -> Path:
    """The directory of the modules of JOB, built when the sources or the kernel changed."""
    if not (job.source / "Kbuild").exists() and not (job.source / "Makefile").exists():
        raise Failure(f"{job.source} has no Kbuild file, so there are no modules to build")
    base = None if job.source == TOP else build(Job(job.kernel))
    return cache.entry(job.family, job.key(base), _builder(job, base), UNUSED_DAYS)
