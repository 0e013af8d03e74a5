# SPDX-License-Identifier: GPL-2.0-only
"""A store of built things that survives interruption.

An entry is a directory named FAMILY-KEY. The key holds everything the content depends on, so an
entry is never changed once it is there: it is built aside, under a lock, and renamed into place.
An interrupted build leaves only a partial directory, which the next one removes.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# Entries of the same family that nobody used for so long are removed to get the disk space back,
# if the family has not a term of its own.
UNUSED_DAYS = 30


def root() -> Path:
    """The cache directory, outside of anything git tracks."""
    chosen = os.environ.get("UNTWIST_CACHE")
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        chosen = os.path.join(base, "untwist")
    path = Path(chosen).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(parts: Iterable[bytes | str]) -> str:
    """A short key over PARTS; each is framed, so that moving a boundary changes the key."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(b"%d:" % len(data))
        state.update(data)
    return state.hexdigest()[:16]


def digest_files(base: Path, files: Iterable[Path]) -> str:
    """A key over the names, relative to BASE, and the contents of FILES."""
    parts: list[bytes | str] = []
    for file in sorted(files):
        parts += [str(file.relative_to(base)), file.read_bytes()]
    return digest(parts)


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock NAME; say so when another process makes us wait."""
    locks = root() / "locks"
    locks.mkdir(exist_ok=True)
    with open(locks / name, "w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"untwist: waiting for another process to finish {name}", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(
    family: str, key: str, build: Callable[[Path], None], unused_days: int = UNUSED_DAYS
) -> Path:
    """The directory of FAMILY-KEY, built by BUILD(empty directory) when it is not there."""
    name = f"{family}-{key}"
    final = root() / "entries" / name
    if final.is_dir():
        os.utime(final)
        return final
    final.parent.mkdir(exist_ok=True)
    with lock(name):
        if final.is_dir():
            return final
        partial = final.with_name(f".{name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        build(partial)
        partial.rename(final)
    _drop_unused(family, final, unused_days)
    return final


def _drop_unused(family: str, keep: Path, days: int) -> None:
    oldest = time.time() - days * 86400
    for other in keep.parent.glob(f"{family}-*"):
        if other != keep and other.stat().st_mtime < oldest:
            shutil.rmtree(other, ignore_errors=True)
