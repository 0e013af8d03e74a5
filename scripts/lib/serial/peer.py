# SPDX-License-Identifier: GPL-2.0-only
"""The peripheral: live at the other end of three serial lines, doing as it is told over one.

    python3 -m serial.peer FOLDER

makes the sockets slip, cobs and control in FOLDER, which QEMU connects its serial ports to, and
ends when all are closed. The control line, which is a raw stream, takes a command a line and gives
an answer a line, "ok" first if all is well:

    raw LINE HEX          send these bytes
    frame LINE HEX        send this record
    flood LINE N LEN      send N records of LEN bytes, numbered
    echo LINE on|off      whether records come back as they arrive
    stop LINE, go LINE    whether anything is read from the line
    forget LINE           what has arrived so far
    wire LINE N           the bytes that have arrived, once there are N
    records LINE N        the records that have arrived, once there are N
    flooded LINE N LEN    whether N records have arrived as flood would send them
    until LINE HEX        whether this record has arrived
    last LINE HEX LEN     how many have as flood would send them, once this one has behind them
"""

import selectors
import socket
import sys
from pathlib import Path

from serial.framing import FRAMINGS, Framing


def numbered(number: int, length: int) -> bytes:
    """A record of LENGTH bytes that tells its place and which of its bytes is which."""
    return (number.to_bytes(4, "big") + bytes((number + i) % 256 for i in range(length)))[:length]


class Line:
    """One serial line, seen from its far end."""

    def __init__(self, name: str, connection: socket.socket, selector: selectors.BaseSelector):
        self.name = name
        self.framing: Framing | None = FRAMINGS.get(name)
        self.reading = True
        self.echo = False
        self.forget()
        self._connection = connection
        self._selector = selector
        self._out = b""
        self._partial = b""
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, self)

    def forget(self) -> None:
        """Begin to collect anew."""
        self.wire = b""
        self.records: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Send DATA as the line takes it."""
        self._out += data
        self._watch()

    def read(self, on: bool) -> None:
        """Go on or stop to read."""
        self.reading = on
        self._watch()

    def _watch(self) -> None:
        events = selectors.EVENT_READ if self.reading else 0
        events |= selectors.EVENT_WRITE if self._out else 0
        registered = self._connection.fileno() in self._selector.get_map()
        if events and registered:
            self._selector.modify(self._connection, events, self)
        elif events:
            self._selector.register(self._connection, events, self)
        elif registered:
            self._selector.unregister(self._connection)

    def ready(self, events: int) -> bool:
        """Move what can be moved; whether the line is still there."""
        try:
            if events & selectors.EVENT_WRITE:
                self._out = self._out[self._connection.send(self._out) :]
                self._watch()
            data = self._connection.recv(1 << 16) if events & selectors.EVENT_READ else None
        except OSError:
            data = b""
        if data is None:
            return True
        if not data:
            self._selector.unregister(self._connection)
            return False
        self.wire += data
        if self.framing:
            self._unframe(self.framing, data)
        return True

    def _unframe(self, framing: Framing, data: bytes) -> None:
        *contents, self._partial = (self._partial + data).split(framing.delimiter)
        for content in filter(None, contents):
            record = framing.unframe(content)
            self.records.append(record)
            if self.echo:
                self.send(framing.frame(record))

    def take_lines(self) -> list[str]:
        """Of a line without framing: the lines of text that have arrived."""
        *lines, self.wire = self.wire.split(b"\n")
        return [line.decode() for line in lines]


class Peer:
    """What is told over the control line, and done on the others."""

    def __init__(self, folder: Path):
        self._selector = selectors.DefaultSelector()
        listeners = {name: socket.socket(socket.AF_UNIX) for name in (*FRAMINGS, "control")}
        for name, listener in listeners.items():
            listener.bind(str(folder / name))
            listener.listen(1)
        print("ready", flush=True)
        self._lines = {
            name: Line(name, listener.accept()[0], self._selector)
            for name, listener in listeners.items()
        }
        self._waiting = ""

    def run(self) -> None:
        """Serve until the control line is closed."""
        control = self._lines["control"]
        while True:
            for key, events in self._selector.select():
                if not key.data.ready(events) and key.data is control:
                    return
            for command in control.take_lines():
                self._waiting = command
            # What asks for more than has arrived is answered when it has.
            answer = self._answer(self._waiting.split()) if self._waiting else None
            if answer is not None:
                self._waiting = ""
                control.send(answer.encode() + b"\n")

    def _answer(self, words: list[str]) -> str | None:
        verb, line = words[0], self._lines[words[1]]
        if verb in ("until", "last") and bytes.fromhex(words[2]) not in line.records:
            return None
        if verb == "until":
            return "ok"
        if verb == "last":
            good = _as_flooded(line.records[:-1], int(words[3]))
            return f"ok {len(line.records) - 1}" if good else "not as sent"
        if verb in ("wire", "records", "flooded"):
            return self._tell(verb, line, [int(word) for word in words[2:]])
        framing = line.framing or FRAMINGS["slip"]
        if verb == "raw":
            line.send(bytes.fromhex(words[2]))
        elif verb == "frame":
            line.send(framing.frame(bytes.fromhex(words[2])))
        elif verb == "flood":
            count, length = int(words[2]), int(words[3])
            line.send(b"".join(framing.frame(numbered(i, length)) for i in range(count)))
        elif verb == "echo":
            line.echo = words[2] == "on"
        elif verb in ("stop", "go"):
            line.read(verb == "go")
        elif verb == "forget":
            line.forget()
        else:
            return f"unknown: {verb}"
        return "ok"

    def _tell(self, verb: str, line: Line, numbers: list[int]) -> str | None:
        have = len(line.wire) if verb == "wire" else len(line.records)
        if have < numbers[0]:
            return None
        if verb == "wire":
            return f"ok {line.wire.hex()}"
        if verb == "records":
            return " ".join(["ok", *(record.hex() for record in line.records)])
        return "ok" if _as_flooded(line.records, numbers[1]) else "not as sent"


def _as_flooded(records: list[bytes], length: int) -> bool:
    return records == [numbered(i, length) for i in range(len(records))]


if __name__ == "__main__":
    Peer(Path(sys.argv[1])).run()
