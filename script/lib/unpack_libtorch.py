"""Unpacks what a CPU program needs of libtorch out of PyTorch's wheels.

Not a general wheel installer: `torch/lib`, `include` and `share` without CUDA and without Python's bindings, and from the
wheels of CUDA's runtime and CUPTI the one library each that `libtorch_cpu.so` links.

usage: unpack_libtorch.py FOLDER_WITH_WHEELS DESTINATION
"""

import pathlib
import shutil
import sys
import zipfile

KEEP = {
    "libtorch_cpu.so",
    "libtorch.so",
    "libc10.so",
    "libtorch_global_deps.so",
    "libshm.so",
    "libgomp.so.1",
}
CUDA_LIBRARIES = ("libcudart.so.", "libcupti.so.")


def destination(member: str) -> str | None:
    """Where a member of a wheel belongs below the destination, or None if it is not wanted."""
    name = member.rsplit("/", 1)[-1]
    if not name:
        return None
    if member.startswith("torch/lib/") and (name in KEEP or name.endswith(".h")):
        return member.removeprefix("torch/")
    if member.startswith(("torch/include/", "torch/share/")):
        return member.removeprefix("torch/")
    if member.startswith("nvidia/") and name.startswith(CUDA_LIBRARIES):
        return f"lib/{name}"
    return None


def main() -> None:
    wheels, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                target = destination(member.filename)
                if target is None:
                    continue
                path = root / target
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, path.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                if ".so" in path.name:
                    path.chmod(0o755)


main()
