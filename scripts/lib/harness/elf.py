# SPDX-License-Identifier: GPL-2.0-only
"""What a program of any architecture needs at run time, read from its ELF headers."""

import functools
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from harness.arch import Arch
from harness.shell import Failure, output

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29


@dataclass(frozen=True)
class Elf:
    """A program or shared object: its loader (of a program), libraries and where it looks."""

    machine: int
    interpreter: str | None
    needed: tuple[str, ...]
    search: tuple[str, ...]


def is_elf(path: Path) -> bool:
    """Whether PATH is an ELF file of any kind."""
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def _string(image: bytes, at: int) -> str:
    return image[at : image.index(b"\0", at)].decode()


def _dynamic(image: bytes, start: int, size: int, wide: bool) -> list[tuple[int, int]]:
    form = "<qQ" if wide else "<iI"
    entries = []
    for tag, value in struct.iter_unpack(form, image[start : start + size]):
        if tag == 0:
            break
        entries.append((tag, value))
    return entries


def read(path: Path) -> Elf | None:
    """The headers of PATH; None when it is no little-endian program or shared object."""
    image = path.read_bytes()
    if image[:4] != b"\x7fELF" or image[5] != 1:
        return None
    wide = image[4] == 2
    kind, machine = struct.unpack_from("<HH", image, 16)
    if kind not in (2, 3):
        return None
    head = struct.unpack_from("<QQQIHHH" if wide else "<IIIIHHH", image, 24)
    offset, size, count = head[1], head[5], head[6]
    segments = [_segment(image, offset + index * size, wide) for index in range(count)]
    interpreter, entries = None, []
    for kind, start, _address, length in segments:
        if kind == _PT_INTERP:
            interpreter = _string(image, start)
        elif kind == _PT_DYNAMIC:
            entries = _dynamic(image, start, length, wide)
    names = _in_file(segments, dict(entries).get(_DT_STRTAB, 0))
    needed = tuple(_string(image, names + value) for tag, value in entries if tag == _DT_NEEDED)
    search = [_string(image, names + v) for tag, v in entries if tag in (_DT_RPATH, _DT_RUNPATH)]
    folders = tuple(folder for text in search for folder in text.split(":") if folder)
    return Elf(machine, interpreter, needed, folders)


def _segment(image: bytes, at: int, wide: bool) -> tuple[int, int, int, int]:
    """Type, offset in the file, address and size in the file of a program header."""
    if wide:
        kind, _flags, offset, address, _physical, size = struct.unpack_from("<IIQQQQ", image, at)
    else:
        kind, offset, address, _physical, size = struct.unpack_from("<IIIII", image, at)
    return kind, offset, address, size


def _in_file(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, size in segments:
        if kind == _PT_LOAD and start <= address < start + size:
            return address - start + offset
    return 0


@functools.cache
def _system_libraries() -> dict[str, Path]:
    """The libraries this machine's loader knows, by name."""
    found: dict[str, Path] = {}
    for line in output(["/sbin/ldconfig", "-p"]).splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow and "x32" not in name:
            found.setdefault(name.split()[0], Path(path))
    return found


def _folders(arch: Arch) -> list[Path]:
    """Where the libraries of ARCH lie on this machine, the cross compiler's included."""
    names = [f"/usr/lib/{arch.multiarch}", f"/lib/{arch.multiarch}", f"/usr/{arch.multiarch}/lib"]
    return [Path(name) for name in names] + sorted(
        Path(f"/usr/lib/gcc-cross/{arch.multiarch}").glob("*")
    )


def find_library(arch: Arch, name: str, user: Path, search: tuple[str, ...]) -> Path:
    """The host file of the library NAME that the program or library USER needs."""
    origin = str(user.resolve().parent)
    folders = [Path(f.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)) for f in search]
    candidates = [folder / name for folder in [*folders, *_folders(arch)]]
    if arch.native and name in _system_libraries():
        candidates.insert(len(folders), _system_libraries()[name])
    for candidate in candidates:
        if candidate.is_file() and _machine_of(candidate) == arch.elf_machine:
            return candidate
    raise Failure(f"{user} needs {name}, which is not installed for {arch.name}")


def _machine_of(path: Path) -> int:
    with open(path, "rb") as file:
        head = file.read(20)
    return struct.unpack_from("<H", head, 18)[0] if head[:4] == b"\x7fELF" else 0


def library_folder(arch: Arch) -> str:
    """Where libraries go in the guest: a folder the loader searches without being told."""
    return f"/usr/lib/{arch.multiarch}"


def find_interpreter(arch: Arch, interpreter: str, user: Path) -> Path:
    """The host file of the loader that the program USER names."""
    candidates = [folder / os.path.basename(interpreter) for folder in _folders(arch)]
    if arch.native:
        candidates.insert(0, Path(interpreter))
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise Failure(f"{user} needs the loader {interpreter}, which is not installed for {arch.name}")
