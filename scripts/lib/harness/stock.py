# SPDX-License-Identifier: GPL-2.0-only
"""Recipe: a stock Debian 12 kernel, laid out as kernel.py expects it.

Taken from the image, header and kbuild packages, of which only what guests and module builds use
is unpacked. The text of this file is part of the key of what it makes.
"""

import os
import re
import subprocess
from pathlib import Path

from harness import arch as arches
from harness.aptroot import AptRoot
from harness.arch import Arch
from harness.shell import Failure, note, output, pipeline

# What a guest may have to load before it can speak to the runner; the rest of the thousands of
# modules would cost a minute and half a gigabyte.
MODULES = ("kernel/drivers/virtio/*", "*/virtio_console.ko*", "*/virtio-rng.ko*")


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _candidates(root: AptRoot, version: str, flavour: str) -> list[tuple[str, str]]:
    """Release and image package of every kernel of the series, newest first."""
    form = re.escape(version) + r"\.\d+(?:-\d+|\+deb12)-" + re.escape(flavour)
    pattern = re.compile(rf"linux-image-({form})(-unsigned)?")
    found: dict[str, str] = {}
    for name in sorted(root.names(f"linux-image-{version}."), reverse=True):
        match = pattern.fullmatch(name)
        if match:
            # Sorted backwards, the signed package comes last and wins.
            found[match[1]] = name
    return sorted(found.items(), key=lambda item: _numbers(item[0]), reverse=True)


def resolve(arch: Arch, name: str) -> dict[str, str]:
    """The newest kernel of which image, headers and kbuild are all to be had."""
    root, host_root = AptRoot(arch.debian), AptRoot(arches.host().debian)
    root.refresh()
    host_root.refresh()
    version = name.removesuffix("-rt")
    for release, image in _candidates(root, version, arch.flavours[name]):
        headers = f"linux-headers-{release}"
        needs = root.fields(headers).get("Depends", "")
        common = re.search(r"linux-headers-\S+-common(-rt)?", needs)
        kbuild = re.search(r"linux-kbuild-[^\s,]+", needs)
        if not common or not kbuild:
            continue
        versions = {
            "image": (root, image),
            "headers": (root, headers),
            "common": (root, common[0]),
            "kbuild": (host_root, kbuild[0]),
        }
        found = {"release": release}
        for part, (where, package) in versions.items():
            found[part] = f"{package}={where.fields(package).get('Version', '')}"
        if all(not value.endswith("=") for value in found.values()):
            return found
    raise Failure(
        f"Debian 12 has no {name} kernel for {arch.name} on this mirror "
        f"(looked for linux-image-{version}.*-{arch.flavours[name]})"
    )


def _unpack_image(deb: Path, release: str, into: Path) -> None:
    wanted = [f"*lib/modules/{release}/{pattern}" for pattern in MODULES]
    wanted += [f"*lib/modules/{release}/modules.*", "*boot/*"]
    untar = ["tar", "-x", "-C", into, "--no-same-owner", "--wildcards", *wanted]
    # tar fails when a pattern matches nothing, which is normal for what is built in; what must
    # be there is checked by name below.
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as stream:
        subprocess.run(untar, stdin=stream.stdout, stderr=subprocess.DEVNULL, check=False)
        # Let dpkg-deb finish when tar stopped early.
        if stream.stdout:
            stream.stdout.read()
    if stream.returncode != 0:
        raise Failure(f"cannot unpack {deb}")


def _place_image(unpacked: Path, release: str, into: Path) -> None:
    boot = unpacked / "boot"
    try:
        (boot / f"vmlinuz-{release}").rename(into / "image")
        (boot / f"config-{release}").rename(into / "config")
    except FileNotFoundError as error:
        raise Failure(f"the package of {release} lacks {error.filename}") from error
    modules = next(path for path in unpacked.glob("**/lib/modules") if path.is_dir())
    for packed in sorted(modules.rglob("*.ko.xz")):
        output(["xz", "-d", packed])
    (into / "lib").mkdir()
    modules.rename(into / "lib" / "modules")


def _place_headers(arch: Arch, into: Path, release: str, common: str) -> None:
    """Make the headers a build directory wherever they lie, with the compiler left open.

    Debian's own files name the directories under /usr and force Debian's compiler.
    """
    headers = f"tree/usr/src/linux-headers-{release}"
    common = common.partition("=")[0]
    (into / headers / "Makefile").write_text(f"include ../{common}/Makefile\n", encoding="ascii")
    (into / headers / ".kernelvariables").write_text(
        f"override ARCH = {arch.kernel_arch}\noverride KERNELRELEASE = {release}\n",
        encoding="ascii",
    )
    os.symlink(headers, into / "build")


def build(arch: Arch, found: dict[str, str], into: Path) -> None:
    """Fill the empty directory INTO."""
    release = found["release"]
    root, host_root = AptRoot(arch.debian), AptRoot(arches.host().debian)
    image = root.deb(found["image"])
    parts = [root.deb(found["headers"]), root.deb(found["common"]), host_root.deb(found["kbuild"])]
    note(f"unpacking Linux {release} for {arch.name}")
    unpacked = into / "unpacked"
    unpacked.mkdir()
    _unpack_image(image, release, unpacked)
    _place_image(unpacked, release, into)
    output(["rm", "-r", unpacked])
    (into / "tree").mkdir()
    for part in parts:
        pipeline(
            ["dpkg-deb", "--fsys-tarfile", part],
            ["tar", "-x", "-C", into / "tree", "--no-same-owner", "--exclude=./usr/share"],
        )
    _place_headers(arch, into, release, found["common"])
    (into / "release").write_text(release + "\n", encoding="ascii")
