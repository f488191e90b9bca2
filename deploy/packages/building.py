"""Builds the interpreter of an architecture, in a root of the oldest release that is supported."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from deploy.packages import HERE, SOURCES, BuildError
from deploy.packages.fetching import BUILD_ROOT

SCRIPT = HERE / "interpreter.sh"


def build_interpreter(sources: Path, work: Path, architecture: str) -> Path:
    """Return where the root has the architecture's interpreter; build what is not built yet.

    The other architectures need the one that runs here, amd64.
    """
    root = work / "root"
    key = _key(sources)
    if not (root / "build" / key).exists():
        shutil.rmtree(root, ignore_errors=True)
        _unpack(sources, root)
        (root / "build" / key).touch()
    for each in dict.fromkeys(("amd64", architecture)):
        if not (root / "build" / each / "python").exists():
            print(f"Building the interpreter for {each}: this takes some minutes ...", flush=True)
            _run_in(root, each, work / f"interpreter-{each}.log")
    return root / "build" / architecture


def source_version(sources: Path, name: str) -> str:
    """Return the version of a source package that has been fetched."""
    described = next(sources.glob(f"{name}_*.dsc")).read_text(encoding="utf-8", errors="replace")
    lines = described.splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Version: "))


def _key(sources: Path) -> str:
    parts = [SCRIPT.read_bytes()]
    parts += [next(sources.glob(f"{name}_*.dsc")).read_bytes() for name in SOURCES]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _unpack(sources: Path, root: Path) -> None:
    root.mkdir(parents=True)
    command = ["tar", "--extract", "--numeric-owner", "--exclude=./dev/*", "--directory", str(root)]
    subprocess.run([*command, "--file", str(sources / BUILD_ROOT)], check=True)
    place = root / "build/sources"
    place.mkdir(parents=True)
    for each in sources.iterdir():
        if each.is_file() and each.name != BUILD_ROOT:
            shutil.copy(each, place)
    shutil.copy(SCRIPT, root / "build")


def _run_in(root: Path, architecture: str, log: Path) -> None:
    """Run the script with namespaces of its own: what it mounts and starts goes with it."""
    inside = (
        'mount -t proc proc "$1/proc"'
        ' && for each in null zero urandom; do touch "$1/dev/$each"'
        ' && mount --bind "/dev/$each" "$1/dev/$each"; done'
        ' && exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin'
        ' sh /build/interpreter.sh "$2"'
    )
    command = ["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-ec", inside, "sh"]
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, str(root), architecture], check=False, stdout=file, stderr=file
        )
    if done.returncode:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        raise BuildError("\n".join([f"The interpreter cannot be built, see {log}:", *last]))
