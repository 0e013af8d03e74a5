# SPDX-License-Identifier: GPL-2.0-only
"""Kernels: from a name like 6.12 to a directory that holds all there is to boot and build for it.

image        what QEMU boots
release      what uname -r says in the guest
config       its configuration
build        a directory to build modules against
lib/modules  the modules a guest needs to speak to the runner, if they are not built in
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import cache, instrumented, stock
from harness.arch import Arch
from harness.shell import Failure, note, output

NAMES = ("6.1", "6.12", "6.12-rt", "kunit")
# How long a look-up of the newest version holds, so that a warm start needs no network.
LOOKUP_MAX_AGE = 86400


@dataclass(frozen=True)
class Kernel:
    """A kernel on disk; KEY changes whenever the kernel does."""

    arch: Arch
    name: str
    key: str
    image: Path
    release: str
    config: Path
    build: Path
    modules: Path | None

    def has(self, option: str) -> bool:
        """Whether CONFIG_OPTION is built in."""
        return f"CONFIG_{option}=y" in self.config.read_text(encoding="ascii").splitlines()


def looked_up(what: str, resolve: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The answer of RESOLVE, remembered for a day, and for longer when it cannot be renewed."""
    file = cache.root() / "versions" / f"{what}.json"
    file.parent.mkdir(exist_ok=True)
    known: dict[str, str] = {}
    if file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))
        if time.time() - file.stat().st_mtime < LOOKUP_MAX_AGE:
            return known
    try:
        known = resolve()
    except Failure as failure:
        if not known:
            raise
        note(f"warning: {what}: keeping the last known version\n{failure}")
    aside = file.with_suffix(".partial")
    aside.write_text(json.dumps(known), encoding="utf-8")
    aside.rename(file)
    return known


def _recipe_key(recipe: Path, found: dict[str, str], *more: bytes | str) -> str:
    return cache.digest([recipe.read_bytes(), json.dumps(found, sort_keys=True), *more])


def _stock(arch: Arch, name: str) -> Path:
    found = looked_up(f"{arch.name}-{name}", lambda: stock.resolve(arch, name))
    key = _recipe_key(Path(stock.__file__), found)
    return cache.entry(f"{arch.name}-{name}", key, lambda into: stock.build(arch, found, into))


def _instrumented(arch: Arch) -> Path:
    found = looked_up("source", instrumented.resolve)
    key = _recipe_key(
        Path(instrumented.__file__),
        found,
        output([arch.compiler(), "--version"]),
        instrumented.requested(arch),
    )
    family = f"{arch.name}-kunit"
    return cache.entry(family, key, lambda into: instrumented.build(arch, found, into))


def _from_layout(arch: Arch, name: str, path: Path, key: str) -> Kernel:
    release = (path / "release").read_text(encoding="ascii").strip()
    modules = path / "lib" / "modules" / release
    return Kernel(
        arch=arch,
        name=name,
        key=key,
        image=path / "image",
        release=release,
        config=path / "config",
        build=path / "build",
        modules=modules if modules.is_dir() else None,
    )


def _from_build_tree(arch: Arch, tree: Path, key: str) -> Kernel:
    release = (tree / "include" / "config" / "kernel.release").read_text(encoding="ascii")
    return Kernel(
        arch=arch,
        name=tree.name,
        key=key,
        image=tree / "arch" / arch.kernel_arch / "boot" / arch.image_target,
        release=release.strip(),
        config=tree / ".config",
        build=tree,
        modules=None,
    )


def _from_path(arch: Arch, path: Path) -> Kernel:
    if (path / "release").exists():
        image, kind = path / "image", _from_layout
    elif (path / "include" / "config" / "kernel.release").exists():
        image = path / "arch" / arch.kernel_arch / "boot" / arch.image_target
        kind = None
    else:
        raise Failure(f"{path} is neither a kernel directory nor a kernel build tree")
    if not image.exists():
        raise Failure(f"{path} has no image for {arch.name}: {image} does not exist")
    seen = image.stat()
    key = cache.digest([str(path), str(seen.st_mtime_ns), str(seen.st_size)])
    key = f"{arch.name}-{path.name}-{key}"
    return kind(arch, path.name, path, key) if kind else _from_build_tree(arch, path, key)


def find(arch: Arch, name: str) -> Kernel:
    """The kernel NAME, a name of NAMES or a path, fetched or built when it is not there yet."""
    if name not in NAMES:
        path = Path(name).resolve()
        if not path.is_dir():
            raise Failure(f"no such kernel: {name} (known: {', '.join(NAMES)}, or a directory)")
        return _from_path(arch, path)
    path = _instrumented(arch) if name == "kunit" else _stock(arch, name)
    return _from_layout(arch, name, path, path.name)


def directory(kernel: Kernel) -> Path:
    """The directory that holds KERNEL."""
    return kernel.config.parent
