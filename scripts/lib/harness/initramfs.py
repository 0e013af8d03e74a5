# SPDX-License-Identifier: GPL-2.0-only
"""The root file system of a guest: a tree in memory, written as a cpio archive.

Nothing is made on the host's disk, so no root is needed for owners and device nodes. The kernel
unpacks archives that follow each other one after the other, so a cached base and the files of one
run need only be concatenated.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# The guest's layout is that of a merged /usr.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True)
class Node:
    """A file, directory, link or device; DATA is bytes, or a host file to read them from."""

    mode: int
    data: bytes | Path = b""
    device: tuple[int, int] = (0, 0)


def canonical(path: str) -> str:
    """PATH in the guest, relative to its root and with the links of the merged /usr resolved."""
    normal = os.path.normpath("/" + path).lstrip("/")
    top, slash, rest = normal.partition("/")
    return f"usr/{top}{slash}{rest}" if top in MERGED and slash else normal


class Tree:
    """The files of a guest, by path."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __contains__(self, path: str) -> bool:
        return canonical(path) in self._nodes

    def _put(self, path: str, node: Node) -> None:
        path = canonical(path)
        parent = os.path.dirname(path)
        if parent and parent not in self._nodes:
            self.directory(parent)
        self._nodes[path] = node

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add the directory PATH and those above it."""
        if canonical(path) not in self._nodes:
            self._put(path, Node(stat.S_IFDIR | mode))

    def file(self, path: str, data: bytes | Path, mode: int = 0o644) -> None:
        """Add a file with DATA, or with the contents of a host file."""
        self._put(path, Node(stat.S_IFREG | mode, data))

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._put(path, Node(stat.S_IFLNK | 0o777, target.encode()))

    def device(self, path: str, major: int, minor: int) -> None:
        """Add a character device."""
        self._put(path, Node(stat.S_IFCHR | 0o600, b"", (major, minor)))

    def write(self, out: BinaryIO) -> None:
        """Write the tree as a cpio archive, which the kernel reads before any compression."""
        for number, (path, node) in enumerate(self._nodes.items(), start=1):
            data = node.data.read_bytes() if isinstance(node.data, Path) else node.data
            _write_record(out, number, path, node, data)
        _write_record(out, 0, "TRAILER!!!", Node(0), b"")


def _write_record(out: BinaryIO, inode: int, path: str, node: Node, data: bytes) -> None:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(node.mode) else 1
    fields = (inode, node.mode, 0, 0, links, 0, len(data), 0, 0, *node.device, len(name), 0)
    record = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    out.write(record.ljust(-(-len(record) // 4) * 4, b"\0"))
    out.write(data.ljust(-(-len(data) // 4) * 4, b"\0"))
