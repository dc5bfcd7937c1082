"""Writes a folder as a Docker image that `docker load` reads: two layers, the libraries and then the program.

Not a builder: no base image, no commands, no compression. Invariant: the output is a pure function of the files' paths,
bytes and execute bits, so equal inputs give equal image ids. Libraries have a layer of their own because they are
99 % of the bytes and change only with libtorch.

usage: scratch_image.py ROOT PROGRAM DESTINATION   (PROGRAM relative to ROOT); prints the hash of the image's configuration
"""

import hashlib
import json
import os
import pathlib
import sys
import tarfile

# Folders that the runner mounts over; the root file system is read-only, so they must exist.
MOUNT_POINTS = ("job", "out", "tmp")
# The same unprivileged user that distroless images use.
USER = "65532:65532"


def header(name: str, kind: bytes, mode: int, size: int = 0) -> tarfile.TarInfo:
    """A tar header without anything that differs between machines: owner root, time zero."""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, size
    return info


def write_layer(path: pathlib.Path, root: pathlib.Path, files: list[str], folders: tuple[str, ...]) -> str:
    """Writes one layer and returns the sha256 of its bytes."""
    parents = {str(p) for f in files for p in pathlib.PurePosixPath(f).parents if str(p) != "."}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as layer:
        for folder in sorted(parents | set(folders)):
            layer.addfile(header(folder, tarfile.DIRTYPE, 0o755))
        for name in sorted(files):
            source = root / name
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
            with source.open("rb") as content:
                layer.addfile(header(name, tarfile.REGTYPE, mode, source.stat().st_size), content)
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else digest(written)


def digest(stream) -> str:
    """hashlib.file_digest for Python before 3.11."""
    state = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        state.update(chunk)
    return state.hexdigest()


def main() -> None:
    root, program, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    out.mkdir(parents=True)
    files = [str(f.relative_to(root)) for f in root.rglob("*") if f.is_file()]
    libraries = [f for f in files if f != program]
    layers = ["libraries.tar", "program.tar"] if libraries else ["program.tar"]
    diff_ids = []
    if libraries:
        diff_ids.append(write_layer(out / "libraries.tar", root, libraries, ()))
    diff_ids.append(write_layer(out / "program.tar", root, [program], MOUNT_POINTS))
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "config": {
            "Entrypoint": [f"/{program}"],
            "Env": ["LD_LIBRARY_PATH=/lib"],
            "User": USER,
            "WorkingDir": "/",
        },
        "created": "1970-01-01T00:00:00Z",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in diff_ids]},
    }
    text = json.dumps(config, sort_keys=True, separators=(",", ":")).encode()
    image = hashlib.sha256(text).hexdigest()
    (out / f"{image}.json").write_bytes(text)
    manifest = [{"Config": f"{image}.json", "RepoTags": [f"parity-trainer:{image[:12]}"], "Layers": layers}]
    (out / "manifest.json").write_text(json.dumps(manifest))
    print(image)


main()
