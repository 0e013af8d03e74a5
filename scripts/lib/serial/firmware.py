# SPDX-License-Identifier: GPL-2.0-only
"""What the firmware of a virtual machine says of the peripherals at its serial ports.

A port is QEMU's pci-serial in a slot of the root bus. On x86_64 an ACPI table describes what is
connected to it, put where Linux takes tables from an initramfs, as on a board whose firmware knows
nothing of it. On arm64 it is a child of the port in the device tree, which QEMU is given whole.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Port:
    """A serial port and what is connected to it; its number is that of the slot."""

    slot: int
    properties: dict[str, str | int | bool] = field(default_factory=dict)


_ASL = """\
DefinitionBlock ("", "SSDT", 2, "UNTWST", "SERIAL", 1)
{{
{ports}
}}
"""

_ASL_PORT = """\
    External (\\_SB.PCI0.S{devfn:02X}, DeviceObj)
    Scope (\\_SB.PCI0.S{devfn:02X})
    {{
        Device (PERI)
        {{
            Name (_HID, "PRP0001")
            Name (_CRS, ResourceTemplate ()
            {{
                UartSerialBusV2 (115200, DataBitsEight, StopBitsOne, 0, LittleEndian,
                    ParityTypeNone, FlowControlNone, 16, 16,
                    "\\\\_SB.PCI0.S{devfn:02X}", 0, ResourceConsumer, , Exclusive)
            }})
            Name (_DSD, Package ()
            {{
                ToUUID ("daffd814-6eba-4d8c-8a91-bc9bbf4aa301"),
                Package ()
                {{
                    Package () {{ "compatible", "untwist,serial" }},
{properties}
                }}
            }})
        }}
    }}"""

_DTS_PORT = """\
/ {{
    pcie@10000000 {{
        serial@{slot:x},0 {{
            reg = <{address:#x} 0 0 0 0>;
            peripheral {{
                compatible = "untwist,serial";
{properties}
            }};
        }};
    }};
}};
"""


def _asl_property(name: str, value: str | int | bool) -> str:
    shown = f'"{value}"' if isinstance(value, str) else int(value)
    return f'                    Package () {{ "{name}", {shown} }},'


def _dts_property(name: str, value: str | int | bool) -> str:
    if value is True:
        return f"                {name};"
    shown = f'"{value}"' if isinstance(value, str) else f"<{value}>"
    return f"                {name} = {shown};"


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _acpi_table(ports: list[Port], folder: Path) -> list[str]:
    texts = [
        _ASL_PORT.format(
            devfn=port.slot * 8,
            properties="\n".join(_asl_property(*item) for item in port.properties.items()),
        )
        for port in ports
    ]
    source = folder / "serial.asl"
    source.write_text(_ASL.format(ports="\n".join(texts)), encoding="ascii")
    _run("iasl", "-va", "-p", folder / "serial", source)
    return ["--add", f"{folder}/serial.aml:/kernel/firmware/acpi/serial.aml",
            "--append", "8250.nr_uarts=16"]


def _device_tree(ports: list[Port], folder: Path) -> list[str]:
    dumped, source = folder / "virt.dtb", folder / "serial.dts"
    _run("qemu-system-aarch64", "-machine", f"virt,dumpdtb={dumped}", "-cpu", "cortex-a53",
         "-smp", "2", "-display", "none")
    _run("dtc", "-q", "-I", "dtb", "-O", "dts", "-o", source, dumped)
    with source.open("a", encoding="ascii") as out:
        for port in ports:
            properties = "\n".join(_dts_property(*item) for item in port.properties.items())
            out.write(_DTS_PORT.format(slot=port.slot, address=port.slot << 11,
                                       properties=properties))
    _run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", folder / "serial.dtb", source)
    return ["--dtb", str(folder / "serial.dtb"), "--append", "8250.nr_uarts=16"]


def describe(arch: str, ports: list[Port], folder: Path) -> list[str]:
    """The options of scripts/vm that make PORTS known; their files are made in FOLDER."""
    return (_acpi_table if arch == "x86_64" else _device_tree)(ports, folder)
