"""Makes of a tree what a release has: archive, packages, checksums.  The same tree gives the same bytes."""

import gzip
import hashlib
import json
import os
import stat
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from deploy.packages import ARCHITECTURES, GLIBC, HERE, BuildError
from deploy.packages.tree import entries

_PLACE = "/opt/dind-executor/package"
_SUMMARY = "GitLab Runner custom executor for jobs that build container images"
_CHECKSUMS = "SHA256SUMS"
_NEEDS = {"deb": "libc6 (>= {})", "rpm": "glibc >= {}"}


def archive(tree: Path, version: str, architecture: str, epoch: int, output: Path) -> Path:
    """Write the archive that installs without network."""
    name = f"dind-executor-{version}-linux-{architecture}"
    path = output / f"{name}.tar.gz"
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as written,
    ):
        for each in (tree, *entries(tree)):
            inside = name if each == tree else f"{name}/{each.relative_to(tree)}"
            entry = written.gettarinfo(each, inside)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            entry.mtime = epoch
            if entry.isreg():
                with each.open("rb") as content:
                    written.addfile(entry, content)
            else:
                written.addfile(entry)
    return path


def package(
    form: str, tree: Path, version: str, architecture: str, epoch: int, output: Path, nfpm: Path
) -> Path:
    """Write a package; `form` is deb or rpm."""
    kernel_name = ARCHITECTURES[architecture]
    names = {
        "deb": f"dind-executor_{version}_{architecture}.deb",
        "rpm": f"dind-executor-{version}-1.{kernel_name}.rpm",
    }
    path = output / names[form]
    configuration = output / f".{path.name}.json"  # which YAML is, too
    described = configuration_of(form, tree, version, architecture, epoch)
    configuration.write_text(json.dumps(described), encoding="utf-8")
    command = [str(nfpm), "package", "--config", str(configuration), "--packager", form]
    environ = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        [*command, "--target", str(path)], check=False, capture_output=True, text=True, env=environ
    )
    configuration.unlink()
    if done.returncode:
        raise BuildError(f"nfpm cannot make {path.name}: {done.stderr or done.stdout}")
    return path


def configuration_of(
    form: str, tree: Path, version: str, architecture: str, epoch: int
) -> dict[str, object]:
    """Return what nfpm reads."""
    moment = datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
    own = {"mtime": moment, "mode": 0o755}
    contents: list[dict[str, object]] = [
        # rpm removes only directories that it knows.
        {"dst": each, "type": "dir", "file_info": own}
        for each in (str(Path(_PLACE).parent), _PLACE)
    ]
    contents += [_content(each, tree, moment) for each in entries(tree)]
    command = {"src": "/opt/dind-executor/current/bin/dind-executor", "type": "symlink"}
    contents.append({**command, "dst": "/usr/bin/dind-executor", "file_info": {"mtime": moment}})
    scripts = {"preremove": str(HERE / "preremove.sh"), "postremove": str(HERE / "postremove.sh")}
    described: dict[str, object] = {
        "name": "dind-executor",
        "version": version,
        "version_schema": "none",
        "release": "1" if form == "rpm" else "",
        "arch": architecture,
        "platform": "linux",
        "maintainer": "The dind-executor maintainers <dind-executor@localhost>",
        "description": _SUMMARY,
        "license": "MIT",
        "section": "devel",
        "priority": "optional",
        "mtime": moment,
        "depends": [_NEEDS[form].format(".".join(map(str, GLIBC)))],
        "contents": contents,
        "umask": 0,
    }
    if form == "deb":
        scripts["postinstall"] = str(HERE / "postinstall.sh")
        described["deb"] = {"compression": "xz"}
        described["suggests"] = ["gitlab-runner"]
    else:
        # After files of an earlier package are gone: a version has all that lies there.
        described["rpm"] = {
            "compression": "xz",
            "buildhost": "localhost",
            "scripts": {"posttrans": str(HERE / "postinstall.sh")},
        }
    described["scripts"] = scripts
    return described


def checksums(output: Path) -> Path:
    """Write the checksums of everything that has been made."""
    path = output / _CHECKSUMS
    made = (each for each in sorted(output.iterdir()) if each.is_file() and each != path)
    lines = (f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in made)
    path.write_text("".join(lines), encoding="ascii")
    return path


def _content(path: Path, tree: Path, moment: str) -> dict[str, object]:
    found: dict[str, object] = {"dst": f"{_PLACE}/{path.relative_to(tree)}"}
    described: dict[str, object] = {"mtime": moment, "owner": "root", "group": "root"}
    if path.is_symlink():
        found |= {"src": str(path.readlink()), "type": "symlink"}
    else:
        described["mode"] = stat.S_IMODE(path.stat().st_mode)
        found |= {"type": "dir"} if path.is_dir() else {"src": str(path)}
    return {**found, "file_info": described}
