# SPDX-License-Identifier: GPL-2.0-only
"""The part of a guest's file system that is the same in every run of one kernel."""

import subprocess
import tempfile
from pathlib import Path

from harness import arch as arches
from harness import cache, kernel
from harness.aptroot import AptRoot
from harness.arch import Arch
from harness.initramfs import MERGED, Tree
from harness.kernel import Kernel
from harness.shell import Failure, output, pipeline

INIT = Path(__file__).resolve().parents[2] / "guest" / "init.c"
CFLAGS = ("-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s")

# In the order they are loaded, if the kernel has them as modules.
TRANSPORT = ("virtio_pci", "virtio_console", "virtio-rng")

PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
GROUP = "root:x:0:\ntty:x:5:\nuntwist:x:700:\nnogroup:x:65534:\n"
HOSTS = "127.0.0.1 localhost untwist\n"


def busybox(arch: Arch) -> Path:
    """The static busybox of ARCH; taken out of its package and never installed."""
    root = AptRoot(arch.debian)

    def resolve() -> dict[str, str]:
        root.refresh()
        return {"busybox": f"busybox-static={root.fields('busybox-static').get('Version', '')}"}

    found = kernel.looked_up(f"{arch.name}-busybox", resolve)["busybox"]

    def build(into: Path) -> None:
        pipeline(
            ["dpkg-deb", "--fsys-tarfile", root.deb(found)],
            ["tar", "-x", "-C", into, "--no-same-owner", "./bin/busybox"],
        )

    return cache.entry(f"{arch.name}-busybox", cache.digest([found]), build) / "bin" / "busybox"


def _init(arch: Arch) -> Path:
    compiler = arch.compiler()
    key = cache.digest([INIT.read_bytes(), output([compiler, "--version"]), *CFLAGS])

    def build(into: Path) -> None:
        output([compiler, *CFLAGS, "-o", into / "init", INIT])

    return cache.entry(f"{arch.name}-init", key, build) / "init"


def _applets(arch: Arch, program: Path) -> list[str]:
    """The paths of busybox's commands, which only busybox itself can tell."""
    if arch.native:
        return output([program, "--list-full"]).split()
    # Configured alike on every architecture, so the one that runs here will do.
    return _applets(arches.host(), busybox(arches.host()))


def has_command(arch: Arch, path: str) -> bool:
    """Whether a guest of ARCH has busybox's command at PATH."""
    return path.lstrip("/") in _applets(arch, busybox(arch))


def needed_modules(module_tree: Path) -> list[str]:
    """The modules that make the ports appear, relative to MODULE_TREE, in the order to load."""
    order: list[str] = []
    depends = {}
    for line in (module_tree / "modules.dep").read_text(encoding="ascii").splitlines():
        file, _, needs = line.partition(":")
        depends[file] = needs.split()
    for name in TRANSPORT:
        for file, needs in depends.items():
            if Path(file).stem.replace("_", "-") == name.replace("_", "-"):
                order += [module for module in [*reversed(needs), file] if module not in order]
    return order


def _skeleton(tree: Tree) -> None:
    for name in MERGED:
        tree.directory(f"/usr/{name}")
        tree.link(f"/{name}", f"usr/{name}")
    for path in ("/proc", "/sys", "/dev", "/run", "/etc/untwist", "/var", "/mnt"):
        tree.directory(path)
    tree.directory("/root", 0o700)
    tree.directory("/tmp", 0o1777)
    tree.link("/var/run", "../run")
    tree.link("/var/tmp", "../tmp")
    # The first process has no other place to complain to before it has mounted /dev.
    tree.device("/dev/console", 5, 1)
    tree.device("/dev/null", 1, 3)
    tree.file("/etc/passwd", PASSWD.encode())
    tree.file("/etc/group", GROUP.encode())
    tree.file("/etc/hosts", HOSTS.encode())


def archive(booted: Kernel) -> Path:
    """The cpio archive of the skeleton, the first process and busybox for BOOTED's guests."""
    arch = booted.arch
    init, shell = _init(arch), busybox(arch)
    key = cache.digest([Path(__file__).read_bytes(), str(init), str(shell)])

    def build(into: Path) -> None:
        tree = Tree()
        _skeleton(tree)
        tree.file("/init", init, 0o755)
        tree.file("/usr/bin/busybox", shell, 0o755)
        for applet in _applets(arch, shell):
            if applet not in tree:
                tree.link(applet, "/usr/bin/busybox")
        with open(into / "base.cpio", "wb") as out:
            tree.write(out)

    return cache.entry(f"{arch.name}-base", key, build) / "base.cpio"


def add_modules(tree: Tree, booted: Kernel, ours: list[Path]) -> None:
    """Add the kernel's transport modules and OURS, so that modprobe finds them by name."""
    with tempfile.TemporaryDirectory(prefix="untwist-modules-") as name:
        place = Path(name) / "lib" / "modules" / booted.release
        (place / "updates").mkdir(parents=True)
        files = {}
        if booted.modules:
            for extra in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
                if (booted.modules / extra).exists():
                    (place / extra).symlink_to(booted.modules / extra)
            files = {m.relative_to(booted.modules): m for m in booted.modules.rglob("*.ko")}
        for module in ours:
            files[Path("updates") / module.name] = module
        for relative, module in files.items():
            (place / relative).parent.mkdir(parents=True, exist_ok=True)
            (place / relative).symlink_to(module)
        done = subprocess.run(
            ["/sbin/depmod", "-b", name, booted.release], capture_output=True, check=False
        )
        if done.returncode != 0:
            raise Failure(f"depmod failed:\n{done.stderr.decode(errors='replace')}")
        for file in sorted(place.rglob("*")):
            if file.is_file():
                guest = f"/lib/modules/{booted.release}/{file.relative_to(place)}"
                tree.file(guest, file.read_bytes())
        early = needed_modules(place)
    listed = "".join(f"/lib/modules/{booted.release}/{module}\n" for module in early)
    tree.file("/etc/untwist/modules", listed.encode())
