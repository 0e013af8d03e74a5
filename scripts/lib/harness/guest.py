# SPDX-License-Identifier: GPL-2.0-only
"""One guest: QEMU's command line, its streams, and how it ended.

The guest's first process (guest/init.c) speaks over three virtio ports, each a socket here:
stdout and stderr carry the command's bytes; control carries the lines "ready", "ended" and
"verdict". The console goes to a file. Only a verdict with the number of this very run says that
the guest came to its end: QEMU's exit code is the same after a crash.
"""

import os
import re
import select
import selectors
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.kernel import Kernel
from harness.shell import Failure

PORTS = ("control", "stdout", "stderr")

# All of these are for a quiet machine; they are stretched by how slow the guest proved at boot.
BOOT_SECONDS = 300
BOOT_SILENCE_SECONDS = 90
CLEANUP_SECONDS = 60
POWER_OFF_SECONDS = 20
SLOWEST = 10.0

# A bug must end the guest at once, with its report on the console, rather than go on in a state
# where later failures mislead. Lockdep and kmemleak reports do not obey; the verdict tells them.
BOOT_OPTIONS = (
    "panic=-1 panic_on_warn=1 panic_on_taint=0x42a0 oops=panic hung_task_panic=1 "
    "softlockup_panic=1 workqueue.panic_on_stall=1 watchdog_thresh=60 "
    "rcupdate.rcu_cpu_stall_timeout=120 loglevel=7 printk.devkmsg=on kfence.sample_interval=10 "
    # A kernel configured from nothing has KUnit, but switched off.
    "kunit.enable=1"
)

# Linux patches its own code at boot, on x86 by way of a breakpoint. QEMU's emulation lets another
# processor run into a breakpoint that is not there any more, now and then ("Oops: int3" in
# sched_clock_cpu() and the like, before any module of ours is there). So the kernel boots on one
# processor, and the first process brings up the others.
EMULATED_X86_OPTIONS = "maxcpus=1"

# Each instruction takes 2 ns of the guest's time, and sleep takes none of ours: a measure that is
# the same on a busy machine. It knows no caches and no pipelines.
COUNTING = ("-icount", "shift=1,sleep=off")

_VERDICT = re.compile(rb"verdict (\w+) code=(\d+) taint=(\d+) lockdep_gave_up=(\d)")


@dataclass
class Settings:
    """What to boot and how."""

    kernel: Kernel
    initramfs: Path
    nonce: str
    accel: str
    seconds: float
    processors: int
    memory: int
    devices: list[str] = field(default_factory=list)
    chardevs: list[str] = field(default_factory=list)
    dtb: Path | None = None
    append: str = ""
    count_instructions: bool = False
    usual_boot_seconds: float = 5.0
    boot_seconds: float = BOOT_SECONDS


@dataclass
class Ending:
    """How a guest ended: with a verdict, or else why without one."""

    code: int | None = None
    taint: int = 0
    lockdep_gave_up: bool = False
    timed_out: str = ""
    qemu_code: int = 0
    qemu_said: str = ""


class Guest:
    """A running guest."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.console = folder / "console"
        self._ending = Ending()
        self._control = b""
        self._started = time.monotonic()
        self._slowness = 1.0
        self._enter("the boot", settings.boot_seconds)
        self._console_size, self._console_grew = 0, self._started
        self._listeners = {name: self._listen(name) for name in PORTS}

    def _listen(self, name: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._folder / name))
        listener.listen(1)
        return listener

    def command_line(self) -> list[str]:
        """QEMU's arguments."""
        chosen, arch = self._settings, self._settings.kernel.arch
        cpu = "host" if chosen.accel == "kvm" else arch.tcg_cpu
        threads = "single" if chosen.count_instructions else "multi"
        accel = f"tcg,thread={threads}" if chosen.accel == "tcg" else chosen.accel
        options = BOOT_OPTIONS
        if chosen.accel == "tcg" and arch.name == "x86_64":
            options += f" {EMULATED_X86_OPTIONS}"
        argv = [
            arch.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", arch.machine, "-accel", accel, "-cpu", cpu,
            "-smp", str(chosen.processors), "-m", str(chosen.memory),
            "-kernel", str(chosen.kernel.image), "-initrd", str(chosen.initramfs),
            "-append", f"console={arch.console} {options} {chosen.append}".strip(),
            "-serial", f"file:{self.console}",
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
        ]  # fmt: skip
        if chosen.count_instructions:
            argv += COUNTING
        for name in PORTS:
            argv += ["-chardev", f"socket,id={name},path={self._folder / name}"]
            argv += ["-device", f"virtserialport,chardev={name},name=untwist.{name}"]
        if chosen.dtb:
            argv += ["-dtb", str(chosen.dtb)]
        for chardev in chosen.chardevs:
            argv += ["-chardev", chardev]
        for device in chosen.devices:
            argv += ["-device", device]
        return argv

    def run(self) -> Ending:
        """Boot, relay until the guest is gone, and tell how it ended."""
        self.console.touch()
        said = self._folder / "qemu-said"
        # Should this program be killed, the guest must not live on. A session of its own keeps
        # the terminal's ^C from it, so that only we decide when it ends.
        argv = ["setpriv", "--pdeathsig", "KILL", *self.command_line()]
        with open(said, "wb") as errors:
            qemu = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        try:
            self._relay(qemu)
        finally:
            if qemu.poll() is None:
                qemu.kill()
            qemu.wait()
        self._ending.qemu_code = qemu.returncode
        self._ending.qemu_said = said.read_text(encoding="utf-8", errors="replace").strip()
        return self._ending

    def _relay(self, qemu: subprocess.Popen[bytes]) -> None:
        with selectors.DefaultSelector() as selector:
            for name, listener in self._listeners.items():
                selector.register(listener, selectors.EVENT_READ, name)
            gone = os.pidfd_open(qemu.pid)
            selector.register(gone, selectors.EVENT_READ, "gone")
            try:
                while self._step(selector):
                    pass
            finally:
                os.close(gone)

    def _step(self, selector: selectors.BaseSelector) -> bool:
        """Wait for one thing to happen; whether the guest may go on."""
        alive = True
        for key, _ in selector.select(timeout=1.0):
            if key.data == "gone":
                alive = False
            elif key.fileobj in self._listeners.values():
                connection = key.fileobj.accept()[0]
                selector.unregister(key.fileobj)
                key.fileobj.close()
                selector.register(connection, selectors.EVENT_READ, key.data)
            else:
                self._receive(selector, key)
        if not alive:
            self._drain(selector)
            return False
        return not self._overdue()

    def _receive(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
        data = key.fileobj.recv(1 << 16)
        if not data:
            selector.unregister(key.fileobj)
            key.fileobj.close()
            return False
        if key.data == "control":
            self._hear(data)
        else:
            _write_all(1 if key.data == "stdout" else 2, data)
        return True

    def _drain(self, selector: selectors.BaseSelector) -> None:
        """Take what QEMU had still sent when it went."""
        for key in list(selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket) and key.fileobj not in (
                *self._listeners.values(),
            ):
                while self._receive(selector, key):
                    pass

    def _hear(self, data: bytes) -> None:
        *lines, self._control = (self._control + data).split(b"\n")
        for line in lines:
            now = time.monotonic()
            verdict = _VERDICT.fullmatch(line)
            if line == b"ready":
                ratio = (now - self._started) / self._settings.usual_boot_seconds
                self._slowness = min(max(ratio, 1.0), SLOWEST)
                self._enter("COMMAND", self._settings.seconds)
            elif line == b"ended":
                self._enter("the end of all processes", CLEANUP_SECONDS)
            elif verdict and verdict[1].decode() == self._settings.nonce:
                self._ending.code = int(verdict[2])
                self._ending.taint = int(verdict[3])
                self._ending.lockdep_gave_up = verdict[4] == b"1"
                self._enter("power-off", POWER_OFF_SECONDS)

    def _enter(self, phase: str, seconds: float) -> None:
        self._phase, self._entered = phase, time.monotonic()
        self._deadline = self._entered + seconds * self._slowness

    def _overdue(self) -> bool:
        now = time.monotonic()
        if self._phase == "the boot":
            size = self.console.stat().st_size
            if size != self._console_size:
                self._console_size, self._console_grew = size, now
            if now - self._console_grew > BOOT_SILENCE_SECONDS:
                self._ending.timed_out = f"silent for {BOOT_SILENCE_SECONDS} s while booting"
                return True
        if now <= self._deadline:
            return False
        # With the verdict in, a guest that does not power off has nothing more to tell.
        if self._phase != "power-off":
            spent = self._deadline - self._entered
            self._ending.timed_out = f"did not get through {self._phase} in {spent:.0f} s"
        return True


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            # Whoever shares our output has made it non-blocking.
            select.select([], [descriptor], [])


def end_on_signals() -> None:
    """Turn the signals that end a program into an exception, so that the guest is ended first."""

    def end(number: int, _frame: object) -> None:
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


class Interrupted(Failure):
    """A signal asked this program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number
