"""What packages are made of, without building one; `tests.load.packages` tries a built one."""

import io
import json
import re
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from deploy.packages import ARCHITECTURES, ROOT, BuildError, elf, formats, reproducing, sbom
from deploy.packages.fetching import REQUIREMENTS
from deploy.packages.tree import seal, unpack_wheel

EPOCH = 1_700_000_000


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/python3.13").write_text("#!/bin/sh\n")
    (tree / "bin/python3.13").chmod(0o755)
    (tree / "bin/python").symlink_to("python3.13")
    return tree


def binaries(mocker: MockerFixture, tree: Path, said: dict[str, str]) -> None:
    """Have files that look like binaries, and what readelf says of them."""
    for name in said:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"\x7fELF")
    by_path = {tree / name: text for name, text in said.items()}
    mocker.patch.object(elf, "_read", side_effect=lambda _what, path: by_path[path])


def test_every_dependency_is_among_the_wheels() -> None:
    """What pyproject.toml requires has a version and checksums: `.ci/package --update` writes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.split("[<>=]", each)[0] for each in project["dependencies"]}
    text = REQUIREMENTS.read_text(encoding="utf-8")

    assert required <= set(re.findall("^([a-z0-9-]+)==", text, re.MULTILINE))
    assert all("--hash=sha256:" in each for each in text.replace("\\\n", "").splitlines()[1:])


def test_a_library_that_is_not_packed_is_found(mocker: MockerFixture, tmp_path: Path) -> None:
    """One that is packed is fine if the binary finds it there, and glibc's own always are."""
    needs = "(NEEDED) Shared library: [libown.so.1]\n(NEEDED) Shared library: [libc.so.6]\n"
    said = {
        "bin/found": f"{needs} (RUNPATH) Library runpath: [$ORIGIN/../lib]",
        "bin/lost": f"{needs} (RUNPATH) Library runpath: [/usr/lib:$ORIGIN/../../lib]",
        "lib/libown.so.1": "(NEEDED) Shared library: [ld-linux-x86-64.so.2]",
    }
    binaries(mocker, tmp_path, said)

    assert elf.faults(tmp_path) == [
        "bin/lost needs libown.so.1, which is neither of glibc nor packed."
    ]


def test_a_symbol_of_a_newer_glibc_is_found(mocker: MockerFixture, tmp_path: Path) -> None:
    """With the file and the version that it needs; numbers are compared, not texts."""
    said = {
        "x.so": "0x0010:   Name: GLIBC_2.32  Flags: none  Version: 5\n Name: GLIBC_2.4  Flags: none",
        "y.so": "0x0010:   Name: GLIBC_2.31  Flags: none\n 0x0020: Name: GCC_3.3  Flags: none",
    }
    binaries(mocker, tmp_path, said)

    assert elf.faults(tmp_path) == ["x.so needs glibc 2.32, which is newer than 2.31."]


def test_a_wheel_is_unpacked_without_its_scripts(tmp_path: Path) -> None:
    """Modules lie where Python looks for them, also those of its data."""
    wheel = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("a/__init__.py", "a-1.data/purelib/b.py", "a-1.data/scripts/a"):
            archive.writestr(name, "")

    unpack_wheel(wheel, tmp_path / "site")

    found = {str(each.relative_to(tmp_path / "site")) for each in (tmp_path / "site").rglob("*.py")}
    assert found == {"a/__init__.py", "b.py"}
    assert not list((tmp_path / "site").rglob("scripts"))


def test_a_build_is_told_from_others_by_every_file(tree: Path) -> None:
    """Content, mode and target of a link count; the directory does not."""

    def build() -> str:
        (tree / "BUILD").unlink(missing_ok=True)
        seal(tree, "1.0", "amd64")
        return (tree / "BUILD").read_text()

    first = build()
    assert build() == first
    (tree / "bin/python3.13").chmod(0o700)
    second = build()
    (tree / "bin/python").unlink()
    (tree / "bin/python").symlink_to("elsewhere")
    assert len({first, second, build()}) == 3


def test_the_archive_has_the_same_bytes_each_time(tree: Path, tmp_path: Path) -> None:
    """Nothing of the time and the owner of a file gets in."""
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copytree(tree, tmp_path / name / "tree", symlinks=True)
        made.append(
            formats.archive(tmp_path / name / "tree", "1.0", "amd64", EPOCH, tmp_path / name)
        )

    assert made[0].read_bytes() == made[1].read_bytes()
    with tarfile.open(fileobj=io.BytesIO(made[0].read_bytes())) as archive:
        members = archive.getmembers()
    assert {each.mtime for each in members} == {EPOCH}
    assert {(each.uid, each.uname) for each in members} == {(0, "root")}
    assert members[1].name == "dind-executor-1.0-linux-amd64/bin"


@pytest.mark.parametrize("form", ["deb", "rpm"])
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_a_package_has_the_tree_and_the_command(tree: Path, form: str, architecture: str) -> None:
    """Below a place that is no version, so that an upgrade takes nothing from running jobs."""
    described = json.loads(
        json.dumps(formats.configuration_of(form, tree, "1.0", architecture, EPOCH))
    )

    contents = {each["dst"]: each for each in described["contents"]}
    assert contents["/opt/dind-executor/package/bin/python"]["src"] == "python3.13"
    assert contents["/opt/dind-executor/package/bin/python3.13"]["file_info"]["mode"] == 0o755
    assert contents["/usr/bin/dind-executor"]["type"] == "symlink"
    assert all(each["file_info"]["mtime"] == described["mtime"] for each in contents.values())
    assert any("2.31" in each for each in described["depends"])
    after = described["scripts"]["postinstall"] if form == "deb" else (
        described["rpm"]["scripts"]["posttrans"]
    )  # fmt: skip
    assert Path(after).is_file()


def test_a_wheel_says_what_is_inside_of_it(tmp_path: Path) -> None:
    """Name, version, checksum, licence, and the parts that its own bill names."""
    wheel = tmp_path / "a_b-1.0-py3-none-any.whl"
    parts = {"components": [{"name": "openssl", "version": "3.5.7", "purl": "pkg:generic/openssl"}]}
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a_b-1.0.dist-info/METADATA", "Name: a-b\nVersion: 1.0\nLicense: MIT\n")
        archive.writestr("a_b-1.0.dist-info/sboms/x.json", json.dumps(parts))

    found = sbom._wheel(wheel)

    assert (found["name"], found["version"], found["purl"]) == ("a-b", "1.0", "pkg:pypi/a-b@1.0")
    assert found["licenses"] == [{"license": {"name": "MIT"}}]
    assert '"name": "openssl"' in json.dumps(found["components"])


def test_builds_that_differ_are_found(tmp_path: Path) -> None:
    """A file of other bytes, and one that only one build has; nothing built is no success."""
    one, other = tmp_path / "one", tmp_path / "other"
    for directory in (one, other):
        directory.mkdir()
    with pytest.raises(BuildError, match="Nothing was built"):
        reproducing.differences(one, other)
    for directory, content in ((one, "1"), (other, "2")):
        (directory / "same").write_text("0")
        (directory / "changed").write_text(content)
    assert reproducing.differences(one, other) == ["changed"]
    (other / "more").write_text("0")
    assert reproducing.differences(one, other) == ["changed", "more"]
