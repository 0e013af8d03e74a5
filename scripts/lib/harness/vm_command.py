# SPDX-License-Identifier: GPL-2.0-only
"""The command scripts/vm: run one command in a guest and judge how that went."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from harness import accel, base, kernel, kernellog, modules
from harness.arch import ARCHES, Arch
from harness.dependencies import need, to_boot, to_build
from harness.guest import Ending, Guest, Interrupted, Settings, end_on_signals
from harness.initramfs import Tree
from harness.kernel import Kernel
from harness.payload import Payload
from harness.shell import Failure

GATHER = modules.TOP / "scripts" / "guest" / "gather"

KERNEL_REPORT, GUEST_HUNG, GUEST_DIED, NOT_SET_UP = 250, 251, 252, 253
RESERVED_CODE = 249

DESCRIPTION = """\
Run COMMAND as root in a virtual machine with Untwist's modules built for its kernel at hand
(modprobe untwist_loop), and return its exit code. COMMAND's output comes on standard output and
standard error as it is written; its standard input is empty unless --stdin is given. The guest
has busybox, no disk and no network but the loopback interface.
"""

EPILOG = f"""\
--add HOST puts a file or folder of an absolute path at the same path in the guest, and one of a
relative path into /root, where COMMAND starts. --add HOST:GUEST puts it at GUEST, which is
absolute, and with a slash at its end a folder. Programs and shared objects bring the libraries
they need, scripts the interpreter in their first line. Added programs are found by name alone.
Libraries loaded by name at run time, and the modules of an interpreter, must be added.
What "make install" put into build/userspace/ARCH/stage is in the guest when it is there.

Limits of time are for a quiet machine, and stretched by how much slower the guest booted.

exit code:
  COMMAND's own (128 + N when signal N ended it; {RESERVED_CODE} stands for its {KERNEL_REPORT} to
  {NOT_SET_UP}), or
  {KERNEL_REPORT}  the kernel reported a problem: panic, oops, warning, KASAN, lockdep, leak, ...
  {GUEST_HUNG}  the guest hung or COMMAND took longer than --timeout
  {GUEST_DIED}  the guest died without telling how COMMAND ended
  {NOT_SET_UP}  the guest could not be set up

environment:
  ACCEL          tcg or kvm, instead of KVM where it works
  UNTWIST_CACHE  where kernels are kept
"""


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/vm",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="scripts/vm [OPTION]... -- COMMAND [ARG]...",
    )
    add = parser.add_argument
    add("--arch", choices=ARCHES, default="x86_64")
    add("--kernel", default="6.12", help="6.1, 6.12 (default), 6.12-rt, kunit or a directory")
    add("--device", action="append", default=[], metavar="DEVICE", help="as for QEMU's -device")
    add(
        "--driver",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="bring the modules of DIR, too, a folder as scripts/new-driver makes it",
    )
    add("--chardev", action="append", default=[], metavar="CHARDEV", help="as for QEMU's -chardev")
    add("--dtb", type=Path, metavar="FILE", help="device tree instead of QEMU's own")
    add("--add", action="append", default=[], metavar="HOST[:GUEST]", help="bring a file or folder")
    add("--stdin", metavar="FILE", help="COMMAND's standard input; - is ours, read to its end")
    add("--timeout", type=float, default=300, metavar="S", help="for COMMAND, default 300")
    add("--smp", type=int, default=2, metavar="N", help="processors, default 2")
    add("--memory", type=int, metavar="MB", help="default 512, and 1024 for kunit, plus the files")
    add("--append", default="", metavar="ARGS", help="more kernel arguments")
    add(
        "--count-instructions",
        action="store_true",
        help="the guest's clocks count instructions, two nanoseconds each: one processor, emulated",
    )
    add("--leak-check", action="store_true", help="look for leaks when COMMAND ended (kunit)")
    add("--counts", type=Path, metavar="FILE", help="add to it what the modules count (kunit)")
    add("--keep-log", type=Path, metavar="FILE", help="where to leave the kernel log")
    add("--no-modules", action="store_true", help="boot without Untwist's modules")
    add("command", nargs="+", metavar="COMMAND")
    return parser.parse_args()


def read_stdin(source: str) -> bytes:
    """The bytes for COMMAND's standard input."""
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise Failure(f"--stdin {source}: {error.strerror}") from error


def fill(tree: Tree, arch: Arch, options: argparse.Namespace, nonce: str) -> None:
    """Put into TREE what differs from run to run."""
    command = options.command
    if options.counts:
        tree.file("/etc/untwist/gather", GATHER, 0o755)
        command = ["/etc/untwist/gather", *command]
    job = [nonce, "leak-check" if options.leak_check else "", *command]
    tree.file("/etc/untwist/job", b"".join(os.fsencode(part) + b"\0" for part in job))
    if options.stdin:
        tree.file("/etc/untwist/stdin", read_stdin(options.stdin))
    payload = Payload(arch, tree)
    staged = modules.TOP / "build" / "userspace" / arch.name / "stage" / "usr"
    if staged.is_dir():
        payload.place(staged, "/usr")
    for wanted in options.add:
        payload.add(wanted)


def write_initramfs(booted: Kernel, tree: Tree, into: Path) -> Path:
    """What is the same in every run, then TREE, as one file in the folder INTO."""
    with open(into / "initramfs", "wb") as out:
        out.write(base.archive(booted).read_bytes())
        tree.write(out)
    return into / "initramfs"


def make_initramfs(booted: Kernel, options: argparse.Namespace, nonce: str, into: Path) -> Path:
    """The initramfs of this run, made in the folder INTO."""
    ours: list[Path] = []
    if not options.no_modules:
        job = modules.Job(booted, coverage=options.counts is not None)
        ours = sorted(modules.build(job).glob("*.ko"))
    for driver in options.driver:
        ours += sorted(modules.build(modules.Job(booted, driver.resolve())).glob("*.ko"))
    tree = Tree()
    base.add_modules(tree, booted, ours)
    fill(tree, booted.arch, options, nonce)
    return write_initramfs(booted, tree, into)


def boot_idle(booted: Kernel, folder: Path) -> Ending:
    """Boot a guest under KVM that has nothing to do."""
    nonce = secrets.token_hex(8)
    tree = Tree()
    base.add_modules(tree, booted, [])
    tree.file("/etc/untwist/job", f"{nonce}\0\0true\0".encode())
    initramfs = write_initramfs(booted, tree, folder)
    settings = Settings(booted, initramfs, nonce, "kvm", accel.PROBE_SECONDS, 2, 1024)
    settings.boot_seconds = accel.PROBE_SECONDS
    return Guest(settings, folder).run()


def settings_for(
    booted: Kernel, initramfs: Path, nonce: str, options: argparse.Namespace
) -> Settings:
    """How to boot what was asked for."""
    heavy = booted.has("KASAN")
    # The archive lies in memory beside the files unpacked from it.
    files = 2 * initramfs.stat().st_size // 1_000_000
    memory = options.memory or (1024 if heavy else 512) + files
    append = options.append
    if options.count_instructions:
        chosen, options.smp = "tcg", 1
    else:
        chosen = accel.choose(booted.arch, lambda folder: boot_idle(booted, folder))
    if options.leak_check:
        if not booted.has("DEBUG_KMEMLEAK"):
            raise Failure(f"--leak-check: kernel {booted.name} has no kmemleak; use kunit")
        append = f"kmemleak=on {append}"
    chardevs, devices = list(options.chardev), list(options.device)
    if options.counts:
        chardevs.append(f"file,id=counts,path={options.counts},append=on")
        devices.append("virtserialport,chardev=counts,name=untwist.counts")
    return Settings(
        kernel=booted,
        initramfs=initramfs,
        nonce=nonce,
        accel=chosen,
        seconds=options.timeout,
        processors=options.smp,
        memory=memory,
        devices=devices,
        chardevs=chardevs,
        dtb=options.dtb,
        append=append,
        count_instructions=options.count_instructions,
        usual_boot_seconds=usual_boot_seconds(booted, options.leak_check),
    )


def usual_boot_seconds(booted: Kernel, leak_check: bool) -> float:
    """How long a boot takes under emulation on a quiet machine of the year 2026."""
    seconds = 6.0 if booted.has("VIRTIO_CONSOLE") else 10.0
    return 12.0 if leak_check else seconds


def judge(ending: Ending, log: list[str]) -> tuple[int, str]:
    """The exit code, and what to tell when it is not COMMAND's own."""
    report = kernellog.find_reports(log)
    tail = "\n".join(log[-15:])
    if report:
        late = f"; besides, the guest {ending.timed_out}" if ending.timed_out else ""
        return KERNEL_REPORT, f"the kernel reported a problem{late}:\n{report.text}"
    if ending.lockdep_gave_up or kernellog.bad_taints(ending.taint):
        words = kernellog.bad_taints(ending.taint) + ["lockdep gave up"] * ending.lockdep_gave_up
        return KERNEL_REPORT, f"the kernel is in a bad state ({', '.join(words)}):\n{tail}"
    if ending.code is not None:
        if ending.code in range(KERNEL_REPORT, NOT_SET_UP + 1):
            return RESERVED_CODE, f"COMMAND ended with {ending.code}"
        return ending.code, ""
    if ending.timed_out:
        return GUEST_HUNG, f"the guest {ending.timed_out}; the end of its log:\n{tail}"
    if not log:
        return NOT_SET_UP, f"QEMU ended at once ({ending.qemu_code}): {ending.qemu_said}"
    return GUEST_DIED, f"the guest died without a verdict; the end of its log:\n{tail}"


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; the exit code."""
    arch = ARCHES[options.arch]
    need(*to_boot(arch), *to_build(arch, options.kernel))
    booted = kernel.find(arch, options.kernel)
    with tempfile.TemporaryDirectory(prefix="untwist-vm-") as name:
        folder = Path(name)
        nonce = secrets.token_hex(8)
        initramfs = make_initramfs(booted, options, nonce, folder)
        settings = settings_for(booted, initramfs, nonce, options)
        guest = Guest(settings, folder)
        try:
            ending = guest.run()
        finally:
            if options.keep_log and guest.console.exists():
                shutil.copy(guest.console, options.keep_log)
        code, message = judge(ending, kernellog.clean(guest.console.read_bytes()))
    if message:
        print(f"scripts/vm: exit {code}: {message}", file=sys.stderr)
    return code


def main() -> int:
    """Run, and turn what can go wrong into an exit code."""
    options = parse()
    end_on_signals()
    try:
        return run(options)
    except Interrupted as interrupted:
        print(f"scripts/vm: {interrupted}", file=sys.stderr)
        return 128 + interrupted.number
    except BrokenPipeError:
        # Nobody reads our output any more; the interpreter must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except Failure as failure:
        print(f"scripts/vm: exit {NOT_SET_UP}: {failure}", file=sys.stderr)
        return NOT_SET_UP


if __name__ == "__main__":
    sys.exit(main())
