# SPDX-License-Identifier: GPL-2.0-only
"""Debian 12 packages of any architecture, without touching the host's own packages.

A private apt root has its own lists, cache and (empty) package status. It borrows from the host
the mirror, the proxy settings and the archive keys, so apt checks every package it downloads.
"""

import shutil
import subprocess
import time
from functools import cache as once
from pathlib import Path

from harness import cache
from harness.shell import Failure, note, output

SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://deb.debian.org/debian-security"
LISTS_MAX_AGE = 86400


@once
def _mirrors() -> tuple[str, str]:
    """The host's mirrors of the archive and of the security archive, or else the public ones."""
    main, security = MIRROR, SECURITY_MIRROR
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    try:
        lines = output(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
    except Failure:
        return main, security
    for line in lines.splitlines():
        origin, label, uri = line.split("|")
        if origin == "Debian" and label == "Debian":
            main = uri.rstrip("/")
        elif origin == "Debian" and label == "Debian-Security":
            security = uri.rstrip("/")
    return main, security


class AptRoot:
    """The Debian 12 archive as seen by one Debian architecture."""

    def __init__(self, debian_arch: str) -> None:
        self.arch = debian_arch
        self.path = cache.root() / "apt" / f"{SUITE}-{debian_arch}"
        self._stamp = self.path / "refreshed"

    def _sources(self) -> str:
        main, security = _mirrors()
        options = f"[arch={self.arch} signed-by={KEYRING}]"
        return (
            f"deb {options} {main} {SUITE} main\n"
            f"deb {options} {main} {SUITE}-updates main\n"
            f"deb {options} {security} {SUITE}-security main\n"
            # The only place of a 6.12 kernel for armhf; apt prefers the others for all else.
            f"deb {options} {main} {SUITE}-backports main\n"
        )

    def _config(self) -> str:
        return f"""
#clear APT::Architectures;
#clear APT::Update;
#clear DPkg::Post-Invoke;
APT::Architecture "{self.arch}";
APT::Architectures {{ "{self.arch}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "{self.path}/state";
Dir::State::status "{self.path}/status";
Dir::Cache "{self.path}/cache";
Dir::Etc::sourcelist "{self.path}/sources.list";
Dir::Etc::sourceparts "{self.path}/none";
Dir::Etc::preferences "{self.path}/none/preferences";
Dir::Etc::preferencesparts "{self.path}/none";
"""

    def _apt(self, tool: str, *args: str) -> list[str]:
        return [tool, "-c", str(self.path / "apt.conf"), *args]

    def _age(self) -> float:
        """Seconds since the lists were fetched."""
        try:
            return time.time() - self._stamp.stat().st_mtime
        except FileNotFoundError:
            return float("inf")

    def refresh(self, max_age: float = LISTS_MAX_AGE) -> None:
        """Fetch the package lists unless they are younger than MAX_AGE seconds."""
        if not KEYRING.exists():
            raise Failure(f"{KEYRING} is missing: install debian-archive-keyring")
        with cache.lock(f"apt-{self.arch}"):
            sources, listed = self._sources(), self.path / "sources.list"
            known = listed.exists() and listed.read_text(encoding="ascii") == sources
            if known and self._age() < max_age:
                return
            for name in ("state/lists/partial", "cache/archives/partial", "debs", "none"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            (self.path / "status").touch()
            listed.write_text(sources, encoding="ascii")
            (self.path / "apt.conf").write_text(self._config(), encoding="ascii")
            note(f"refreshing the Debian 12 package lists for {self.arch}")
            try:
                output(self._apt("apt-get", "update", "-qq"))
            except Failure as failure:
                # One archive of several out of step, or no network: go on with what is there.
                if not self.names("busybox-static"):
                    raise
                note(f"warning: some package lists for {self.arch} are not fresh\n{failure}")
            self._stamp.touch()

    def names(self, prefix: str) -> list[str]:
        """The packages whose names start with PREFIX."""
        return output(self._apt("apt-cache", "pkgnames", prefix)).split()

    def fields(self, package: str) -> dict[str, str]:
        """The control fields of the newest version of PACKAGE; none when there is no such."""
        argv = self._apt("apt-cache", "show", "--no-all-versions", package)
        done = subprocess.run(argv, capture_output=True, check=False, text=True)
        lines = [line for line in done.stdout.splitlines() if line and not line[0].isspace()]
        return {name: value for name, _, value in (line.partition(": ") for line in lines)}

    def deb(self, wanted: str) -> Path:
        """The package WANTED, as NAME=VERSION, as a file; downloaded when it is not there yet."""
        package, _, version = wanted.partition("=")
        file = self.path / "debs" / f"{package}_{version}_{self.arch}.deb"
        if not file.exists():
            self._download(wanted, file)
        return file

    def _download(self, wanted: str, file: Path) -> None:
        package = wanted.partition("=")[0]
        with cache.lock(f"deb-{package}-{self.arch}"):
            if file.exists():
                return
            # Drop what only an older version used.
            for old in file.parent.glob(f"{package}_*.deb"):
                old.unlink()
            note(f"downloading {wanted} for {self.arch}")
            aside = file.with_suffix(".partial")
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            argv = self._apt("apt-get", "download", "-qq", wanted)
            done = subprocess.run(argv, cwd=aside, capture_output=True, check=False, text=True)
            fetched = list(aside.glob("*.deb"))
            if done.returncode != 0 or len(fetched) != 1:
                raise Failure(f"cannot download {wanted} for {self.arch}:\n{done.stderr}")
            fetched[0].rename(file)
            aside.rmdir()
