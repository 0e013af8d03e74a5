# SPDX-License-Identifier: GPL-2.0-only
"""Recipe: the kernel with KUnit and every instrument, laid out as kernel.py expects it.

Built from Debian's linux-source-6.12 with the configuration fragments of kunit/kernel/. The text
of this file is part of the key of what it makes.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness import arch as arches
from harness.aptroot import AptRoot
from harness.arch import Arch
from harness.shell import Failure, note, output

SOURCE = "linux-source-6.12"
FRAGMENTS = Path(__file__).resolve().parents[3] / "kunit" / "kernel"

# Never needed to build, and a third of the tree.
UNWANTED = ("*/Documentation/*/*.rst", "*/drivers/gpu/drm/amd/*.h", "*/tools/testing/*")
# All that building modules takes; the rest goes once the image is built.
KEPT = ("Makefile", "Kbuild", "Kconfig", ".config", "Module.symvers", "System.map", "arch",
        "include", "scripts", "tools")  # fmt: skip


def fragments(arch: Arch) -> list[Path]:
    """The configuration fragments for ARCH."""
    files = [FRAGMENTS / f"{name}.config" for name in ("base", "debug", arch.name)]
    if not files[-1].exists():
        raise Failure(f"no kunit kernel for {arch.name}: {files[-1]} does not exist")
    return files


def requested(arch: Arch) -> str:
    """What the fragments ask for, without their comments."""
    lines = "".join(file.read_text(encoding="ascii") for file in fragments(arch)).splitlines()
    wanted = [line for line in lines if re.match(r"(# )?CONFIG_", line)]
    return "\n".join(wanted) + "\n"


def resolve() -> dict[str, str]:
    """The newest source package."""
    root = AptRoot(arches.host().debian)
    root.refresh()
    version = root.fields(SOURCE).get("Version")
    if not version:
        raise Failure(f"Debian 12 has no package {SOURCE} on this mirror")
    return {"source": f"{SOURCE}={version}"}


def _unpack(deb: Path, into: Path) -> None:
    into.mkdir()
    excludes = [f"--exclude={pattern}" for pattern in UNWANTED]
    shell = (
        'set -o pipefail; deb=$1 into=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" |'
        ' tar -xO "./usr/src/$0.tar.xz" | tar -xJ -C "$into" --strip-components=1 "$@"'
    )
    output(["bash", "-c", shell, SOURCE, deb, into, *excludes])


def _lost_lines(wanted: str, config: str) -> list[str]:
    """The lines of WANTED that Kconfig did not take over."""
    have = set(config.splitlines())
    lost = []
    for line in wanted.splitlines():
        off = re.fullmatch(r"# (CONFIG_\w+) is not set", line)
        if off:
            # What cannot be chosen at all is off as well, and then not listed.
            kept = not any(other.startswith(f"{off[1]}=") for other in have)
        else:
            kept = line in have
        if not kept:
            lost.append(line)
    return lost


def _configure(make: list[str], tree: Path, wanted: str) -> None:
    merged = tree / "fragments.config"
    merged.write_text(wanted, encoding="ascii")
    output([*make, f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"])
    lost = _lost_lines(wanted, (tree / ".config").read_text(encoding="ascii"))
    if lost:
        raise Failure(
            f"the kernel configuration lost what {FRAGMENTS} asks for:\n  " + "\n  ".join(lost)
        )


def _compile(make: list[str], target: str, log: Path) -> None:
    """Build, with a line of progress every 200 steps; the end of the log when it fails."""
    steps, last = 0, ""
    argv = ["nice", *make, f"-j{os.cpu_count()}", target, "modules_prepare"]
    with (
        open(log, "w", encoding="utf-8") as out,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running,
    ):
        for raw in running.stdout or ():
            line = raw.decode(errors="replace")
            out.write(line)
            steps += 1
            last = line.strip()
            if steps % 200 == 0:
                note(f"  {steps} steps done, now at {last}")
    if running.returncode != 0:
        tail = log.read_text(encoding="utf-8").splitlines()[-30:]
        raise Failure("the kernel build failed:\n" + "\n".join(tail))


def _prune(tree: Path) -> None:
    """Keep what module builds use, without the objects and sources."""
    for path in tree.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in list(tree.rglob("*")):
        leftover = path.suffix in (".o", ".a", ".dtb", ".dts", ".dtsi")
        if leftover and path.is_file() and path.relative_to(tree).parts[0] != "scripts":
            path.unlink()
    shutil.rmtree(tree / "arch" / "arm64" / "boot" / "dts", ignore_errors=True)


def build(arch: Arch, found: dict[str, str], into: Path) -> None:
    """Fill the empty directory INTO."""
    wanted = requested(arch)
    deb = AptRoot(arches.host().debian).deb(found["source"])
    tree = into / "build"
    note(f"unpacking {deb.name}")
    _unpack(deb, tree)
    make = ["make", "-C", str(tree), f"ARCH={arch.kernel_arch}", f"CC={arch.compiler()}",
            f"CROSS_COMPILE={arch.prefix}", "LOCALVERSION=-untwist-kunit"]  # fmt: skip
    _configure(make, tree, wanted)
    note(f"building the kunit kernel for {arch.name} (once; about 6 minutes on two processors)")
    _compile(make, arch.image_target, into / "build.log")
    boot = tree / "arch" / arch.kernel_arch / "boot"
    shutil.copy(boot / arch.image_target, into / "image")
    shutil.copy(tree / ".config", into / "config")
    shutil.copy(tree / "include" / "config" / "kernel.release", into / "release")
    # Without modules of its own the kernel's exported symbols are those of vmlinux.
    shutil.copy(tree / "vmlinux.symvers", tree / "Module.symvers")
    _prune(tree)
