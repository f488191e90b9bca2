"""Versions below a prefix: names, the two links, and what is removed."""

import subprocess
from pathlib import Path

import pytest

from executor.commands.install.versions import PACKAGE, STAGES, Versions, build_of, version_said


def a_version(prefix: Path, name: str, build: str = "", answer: str = "echo 1.2.3") -> Path:
    """Put a version below a prefix, whose interpreter gives an answer."""
    path = prefix / name
    (path / "bin").mkdir(parents=True)
    (path / "bin/python").write_text(f"#!/bin/sh\n{answer}\n")
    (path / "bin/python").chmod(0o755)
    (path / "hooks").mkdir()
    for stage in STAGES:
        (path / "hooks" / stage).write_text(f"{stage} of {name}")
    if build:
        (path / "BUILD").write_text(build)
    return path


def test_nothing_is_there(tmp_path: Path) -> None:
    """A prefix that does not exist has no version."""
    versions = Versions(tmp_path / "none")

    assert (versions.names(), versions.current(), versions.previous()) == ([], "", "")
    assert versions.free_name("1.0") == "1.0"


def test_what_is_a_version(tmp_path: Path) -> None:
    """A directory with an interpreter and hooks; no link, nothing hidden, and not what a package has."""
    for name in ("1.0", ".making-2.0", PACKAGE):
        a_version(tmp_path, name)
    for path in ("venv/bin/python", "venv/bin/dind-executor", "others/bin/python"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "hooks").mkdir()
    (tmp_path / "current").symlink_to("1.0")

    assert Versions(tmp_path).names() == ["1.0", "venv"]


def test_a_switch_replaces_link_and_hooks(tmp_path: Path) -> None:
    """`current` is the new one, `previous` the old one, and the hooks are the new one's."""
    a_version(tmp_path, "1.0")
    a_version(tmp_path, "2.0")
    versions = Versions(tmp_path)

    versions.switch("1.0")
    assert (versions.current(), versions.previous()) == ("1.0", "")
    versions.switch("2.0")
    assert (versions.current(), versions.previous()) == ("2.0", "1.0")
    versions.switch("2.0")
    assert (versions.current(), versions.previous()) == ("2.0", "1.0")

    assert (tmp_path / "current").readlink() == Path("2.0")
    assert {each.name: each.read_text() for each in versions.hooks.iterdir()} == {
        stage: f"{stage} of 2.0" for stage in STAGES
    }
    assert all(each.stat().st_mode & 0o111 == 0o111 for each in versions.hooks.iterdir())


@pytest.mark.parametrize("target", ["3.0", "/etc", "../elsewhere", "1.0/.."])
def test_a_link_to_no_version(tmp_path: Path, target: str) -> None:
    """It is as if it were not there."""
    a_version(tmp_path, "1.0")
    (tmp_path / "current").symlink_to(target)

    assert Versions(tmp_path).current() == ""


def test_another_build_of_a_version_gets_another_name(tmp_path: Path) -> None:
    """What is there stays as it is, as jobs may use it."""
    a_version(tmp_path, "1.0", build="a")
    (tmp_path / "1.0-2").symlink_to("nowhere")
    versions = Versions(tmp_path)

    assert versions.free_name("1.0") == "1.0-3"
    assert versions.same_build(b"a") == "1.0"
    assert versions.same_build(b"b") == ""


def test_installations_from_clones_are_no_builds(tmp_path: Path) -> None:
    """Two of them are never the same."""
    assert build_of(a_version(tmp_path, "1.0")) == b""
    assert Versions(tmp_path).same_build(b"") == ""


def test_what_nothing_uses_is_removed(tmp_path: Path) -> None:
    """The current one, the one before, and those of jobs stay."""
    for name in ("1.0", "2.0", "3.0", "4.0", "venv", ".making-9", PACKAGE):
        a_version(tmp_path, name)
    versions = Versions(tmp_path)
    versions.switch("3.0")
    versions.switch("4.0")

    assert versions.remove_unused({"1.0"}) == ["2.0", "venv"]

    assert versions.names() == ["1.0", "3.0", "4.0"]
    assert not (tmp_path / ".making-9").exists()
    assert (tmp_path / PACKAGE).exists()


def test_a_version_says_what_it_is(tmp_path: Path) -> None:
    """One that does not start raises, with what it has said."""
    assert version_said(a_version(tmp_path, "1.0")) == "1.2.3"
    broken = a_version(tmp_path, "2.0", answer="echo no such module >&2; exit 1")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        version_said(broken)
    assert caught.value.stderr == "no such module\n"
