# SPDX-License-Identifier: GPL-2.0-only
"""Hardware acceleration, if it really works here.

That /dev/kvm exists, can be opened, makes machines and even runs a few instructions of real mode
says nothing: below some hypervisors no kernel ever gets through its boot. So a guest is booted to
its verdict, once for each boot of the host.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import cache
from harness.arch import Arch
from harness.guest import Ending
from harness.shell import Failure, note, output

# A working KVM boots in a second or two; a broken one may stand still for ever.
PROBE_SECONDS = 20


def _kvm_works(arch: Arch, boot: Callable[[Path], Ending]) -> bool:
    here = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    key = cache.digest([here, output([arch.qemu, "--version"]), str(os.geteuid())])
    answer = cache.root() / "accel" / f"{arch.name}-{key}"
    with cache.lock(answer.name):
        if not answer.exists():
            note("trying whether KVM works here (once)")
            with tempfile.TemporaryDirectory(prefix="untwist-probe-") as folder:
                works = boot(Path(folder)).code == 0
            note("using KVM" if works else "KVM boots no guest here: using TCG")
            answer.parent.mkdir(exist_ok=True)
            answer.write_text("kvm" if works else "tcg", encoding="ascii")
    return answer.read_text(encoding="ascii") == "kvm"


def choose(arch: Arch, boot: Callable[[Path], Ending]) -> str:
    """The accelerator for guests of ARCH: $ACCEL, or KVM where it works, or TCG.

    BOOT(empty folder) boots a guest of ARCH under KVM that has nothing to do.
    """
    chosen = os.environ.get("ACCEL")
    if chosen in ("kvm", "tcg"):
        return chosen
    if chosen:
        raise Failure(f"ACCEL={chosen}: must be kvm or tcg")
    # What a 64-bit ARM host needs for 32-bit guests is not worth the trouble: those are few.
    possible = arch.native and arch.name != "armhf" and os.access("/dev/kvm", os.R_OK | os.W_OK)
    return "kvm" if possible and _kvm_works(arch, boot) else "tcg"
