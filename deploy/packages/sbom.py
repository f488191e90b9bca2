"""Names everything that is inside a tree, as CycloneDX 1.6 in JSON.  It only reads files."""

import email
import hashlib
import json
import re
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from deploy.packages import ARCHITECTURES, GLIBC, PYTHON, SOURCES
from deploy.packages.building import source_version

Component = dict[str, object]

_EXPAT = re.compile(r"define XML_(?:MAJOR|MINOR|MICRO)_VERSION (\d+)")
_DECIMAL = re.compile(r'define MPD_VERSION "([0-9.]+)"')


def bill(version: str, architecture: str, sources: Path, built: Path, epoch: int) -> str:
    """Return what a build of an architecture has inside; the same for the same sources."""
    wheels = sorted((sources / f"wheels-{ARCHITECTURES[architecture]}").glob("*.whl"))
    components = [
        *(_source(sources, built, name) for name in SOURCES),
        _gcc_library(built),
        *map(_wheel, wheels),
    ]
    own = f"dind-executor@{version}"
    document: Component = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "dind-executor",
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
                "properties": [
                    {"name": "architecture", "value": architecture},
                    {"name": "needs", "value": f"glibc {'.'.join(map(str, GLIBC))} or later"},
                ],
            },
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [each["bom-ref"] for each in components]}],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def names(text: str) -> set[str]:
    """Return the names of the components that a bill has at its top."""
    components = json.loads(text)["components"]
    return {str(each["name"]) for each in components}


def _source(sources: Path, built: Path, name: str) -> Component:
    """Return a source package of Debian's, with all its files."""
    version = source_version(sources, name)
    purl = f"pkg:deb/debian/{name}@{version}?arch=source"
    found: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [_hash(next(sources.glob(f"{name}_*.dsc")).read_bytes())],
    }
    if name == f"python{PYTHON}":
        found["components"] = _inside_python(built / name)
    return found


def _inside_python(source: Path) -> list[Component]:
    """Return what CPython brings with it of other projects."""
    expat = ".".join(_EXPAT.findall((source / "Modules/expat/expat.h").read_text("utf-8")))
    header = source / "Modules/_decimal/libmpdec/mpdecimal.h"
    decimal = _DECIMAL.findall(header.read_text("utf-8"))[0]
    return [
        _part("expat", expat, f"pkg:generic/expat@{expat}"),
        _part("mpdecimal", decimal, f"pkg:generic/mpdecimal@{decimal}"),
        _part("hacl-star", "", "pkg:github/hacl-star/hacl-star"),
    ]


def _gcc_library(built: Path) -> Component:
    """Return GCC's library of the build's root."""
    status = (built.parents[1] / "var/lib/dpkg/status").read_text("utf-8")
    described = next(each for each in status.split("\n\n") if "Package: libgcc-s1\n" in f"{each}\n")
    version = next(
        line.split()[1] for line in described.splitlines() if line.startswith("Version: ")
    )
    return _part("libgcc-s1", version, f"pkg:deb/debian/libgcc-s1@{version}")


def _wheel(wheel: Path) -> Component:
    """Return a wheel, with what it says to have inside."""
    with zipfile.ZipFile(wheel) as archive:
        members = archive.namelist()
        (metadata,) = (each for each in members if each.endswith(".dist-info/METADATA"))
        described = email.message_from_bytes(archive.read(metadata))
        bills = [
            json.loads(archive.read(each))
            for each in sorted(members)
            if ".dist-info/sboms/" in each and each.endswith(".json")
        ]
    name, version = str(described["Name"]), str(described["Version"])
    found = _part(name, version, f"pkg:pypi/{name.lower().replace('_', '-')}@{version}")
    found["hashes"] = [_hash(wheel.read_bytes())]
    if licence := described["License-Expression"] or described["License"]:
        found["licenses"] = [{"license": {"name": str(licence)}}]
    inside = [
        _part(str(each["name"]), str(each.get("version", "")), str(each.get("purl", "")), name)
        for bill_inside in bills
        for each in bill_inside.get("components", [])
    ]
    if inside:
        found["components"] = inside
    return found


def _part(name: str, version: str, purl: str, within: str = "") -> Component:
    found: Component = {"type": "library", "name": name}
    found["bom-ref"] = "#".join(filter(None, (within, purl or f"{name}@{version}")))
    if version:
        found["version"] = version
    if purl:
        found["purl"] = purl
    return found


def _hash(content: bytes) -> dict[str, str]:
    return {"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}
