# SPDX-License-Identifier: GPL-2.0-only
"""Bringing files, folders and programs of the host into a guest, with all that they need."""

import contextlib
import os
import shutil
from pathlib import Path

from harness import base, elf
from harness.arch import Arch
from harness.initramfs import Tree
from harness.shell import Failure

# Opened by name at run time, when a thread is cancelled, so no header tells of it.
_LOADED_BY_NAME = ("libgcc_s.so.1",)
_ON_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/root")


class Payload:
    """Adds to TREE what the guest of ARCH is to have."""

    def __init__(self, arch: Arch, tree: Tree) -> None:
        self._arch = arch
        self._tree = tree

    def add(self, wanted: str) -> None:
        """Add HOST[:GUEST], a file or a folder; see the help of scripts/vm for where it goes."""
        host, colon, guest = wanted.partition(":")
        source = Path(host)
        if not os.path.lexists(source):
            raise Failure(f"--add {wanted}: {host} does not exist")
        if not colon:
            guest = host if source.is_absolute() else f"/root/{source.resolve().name}"
        elif not guest.startswith("/"):
            raise Failure(f"--add {wanted}: the path in the guest must be absolute")
        elif guest.endswith("/"):
            guest += source.resolve().name
        self.place(source, guest)
        if source.is_file() and os.access(source, os.X_OK):
            self._reach_by_name(guest)

    def place(self, source: Path, guest: str) -> None:
        """Put SOURCE, whatever it is, at GUEST."""
        if source.is_symlink() and str(source) == guest:
            self._place_link(source, guest)
        elif source.is_dir():
            self._place_folder(source, guest)
        elif source.is_file():
            self._place_file(source, guest)
            self._bring_needs(source)
        else:
            raise Failure(f"{source} is neither a file nor a folder")

    def _reach_by_name(self, guest: str) -> None:
        folder, name = os.path.split(guest)
        if folder not in _ON_PATH and f"/usr/local/bin/{name}" not in self._tree:
            self._tree.link(f"/usr/local/bin/{name}", guest)

    def _place_link(self, source: Path, guest: str) -> None:
        """A link that keeps its place brings what it points to, at that place."""
        target = os.readlink(source)
        self._tree.link(guest, target)
        pointed_to = Path(os.path.normpath(source.parent / target))
        if str(pointed_to) not in self._tree and pointed_to.exists():
            self.place(pointed_to, str(pointed_to))

    def _place_folder(self, source: Path, guest: str) -> None:
        self._tree.directory(guest)
        for folder, names, files in os.walk(source):
            inside = os.path.join(guest, os.path.relpath(folder, source))
            names[:] = sorted(name for name in names if name != "__pycache__")
            for name in [name for name in names if os.path.islink(os.path.join(folder, name))]:
                names.remove(name)
                files.append(name)
            self._tree.directory(inside)
            for name in sorted(files):
                self._place_member(source, Path(folder, name), os.path.join(inside, name))

    def _place_member(self, top: Path, source: Path, guest: str) -> None:
        if source.is_symlink():
            target = os.readlink(source)
            pointed_to = os.path.normpath(source.parent / target)
            within = not os.path.isabs(target) and Path(pointed_to).is_relative_to(top)
            if within or not source.is_file():
                self._tree.link(guest, target)
                return
            # What points out of the folder becomes a file, since its target stays behind.
        if source.is_file():
            self._place_file(source, guest)
            # A folder is wanted for some of its files; what the others lack is no failure.
            if elf.is_elf(source):
                with contextlib.suppress(Failure):
                    self._bring_libraries(source)

    def _place_file(self, source: Path, guest: str) -> None:
        if not os.access(source, os.R_OK):
            raise Failure(f"cannot read {source}")
        self._tree.file(guest, source.resolve(), source.stat().st_mode & 0o7777)

    def _bring_needs(self, source: Path) -> None:
        if elf.is_elf(source):
            self._bring_libraries(source)
        elif os.access(source, os.X_OK):
            self._bring_script_interpreter(source)

    def _bring_libraries(self, source: Path) -> None:
        found = elf.read(source)
        if not found or not (found.interpreter or found.needed):
            return
        if found.machine != self._arch.elf_machine:
            raise Failure(f"{source} is not a program for {self._arch.name}")
        if found.interpreter and found.interpreter not in self._tree:
            loader = elf.find_interpreter(self._arch, found.interpreter, source)
            self._tree.file(found.interpreter, loader.resolve(), 0o755)
        for name in (*found.needed, *_LOADED_BY_NAME):
            guest = f"{elf.library_folder(self._arch)}/{name}"
            if guest not in self._tree:
                library = elf.find_library(self._arch, name, source, found.search)
                self._place_file(library, guest)
                self._bring_libraries(library)

    def _bring_script_interpreter(self, source: Path) -> None:
        with open(source, "rb") as file:
            first = file.readline(256).decode(errors="replace")
        words = first[2:].split() if first.startswith("#!") else []
        if not words:
            return
        interpreter = words[0]
        if os.path.basename(interpreter) == "env" and len(words) > 1:
            interpreter = shutil.which(words[1]) or words[1]
        if interpreter in self._tree or base.has_command(self._arch, interpreter):
            return
        if not self._arch.native or not os.path.exists(interpreter):
            raise Failure(f"{source} runs by {interpreter}, which cannot be brought along; add it")
        self.place(Path(interpreter), interpreter)
