# SPDX-License-Identifier: GPL-2.0-only
"""The architectures: what each is called by Debian, the kernel, the compiler and QEMU."""

import platform
import shutil
from dataclasses import dataclass

from harness.shell import Failure


@dataclass(frozen=True)
class Arch:
    """One architecture, by all its names."""

    name: str
    debian: str
    kernel_arch: str
    image_target: str
    multiarch: str
    cross: str
    elf_machine: int
    flavours: dict[str, str]
    qemu: str
    machine: str
    tcg_cpu: str
    console: str

    @property
    def native(self) -> bool:
        """Whether this machine runs programs of this architecture."""
        return self is host()

    @property
    def prefix(self) -> str:
        """What stands before the names of the compiler and its tools."""
        return "" if self.native else self.cross

    def compiler(self) -> str:
        """The compiler Debian 12 built its kernels with, or else the default one."""
        for name in (f"{self.prefix}gcc-12", f"{self.prefix}gcc"):
            if shutil.which(name):
                return name
        raise Failure(f"no compiler for {self.name}: {self.prefix}gcc not found")


ARCHES = {
    arch.name: arch
    for arch in (
        Arch(
            name="x86_64",
            debian="amd64",
            kernel_arch="x86",
            image_target="bzImage",
            multiarch="x86_64-linux-gnu",
            cross="x86_64-linux-gnu-",
            elf_machine=62,
            flavours={"6.1": "amd64", "6.12": "amd64", "6.12-rt": "rt-amd64"},
            qemu="qemu-system-x86_64",
            # Its interrupt routing is a plain table; the one of "pc" is computed by firmware code,
            # which costs ten seconds in a kernel with KASAN.
            machine="q35",
            tcg_cpu="max",
            console="ttyS0",
        ),
        Arch(
            name="arm64",
            debian="arm64",
            kernel_arch="arm64",
            image_target="Image",
            multiarch="aarch64-linux-gnu",
            cross="aarch64-linux-gnu-",
            elf_machine=183,
            flavours={"6.1": "arm64", "6.12": "arm64", "6.12-rt": "rt-arm64"},
            qemu="qemu-system-aarch64",
            machine="virt",
            # The cheapest to emulate: pointer authentication of the newer ones costs a third.
            tcg_cpu="cortex-a53",
            console="ttyAMA0",
        ),
        Arch(
            name="armhf",
            debian="armhf",
            kernel_arch="arm",
            image_target="zImage",
            multiarch="arm-linux-gnueabihf",
            cross="arm-linux-gnueabihf-",
            elf_machine=40,
            flavours={"6.1": "armmp-lpae", "6.12": "armmp-lpae", "6.12-rt": "rt-armmp"},
            qemu="qemu-system-arm",
            # Devices' windows must lie below 4 GiB, where a 32-bit kernel can map them.
            machine="virt,highmem=off",
            tcg_cpu="cortex-a15",
            console="ttyAMA0",
        ),
    )
}

_HOST_NAMES = {"x86_64": "x86_64", "aarch64": "arm64", "armv7l": "armhf"}


def host() -> Arch:
    """The architecture of this machine."""
    machine = platform.machine()
    if machine not in _HOST_NAMES:
        raise Failure(f"this machine is {machine}; known are {', '.join(_HOST_NAMES)}")
    return ARCHES[_HOST_NAMES[machine]]
