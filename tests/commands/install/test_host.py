"""What the host gets besides the versions, below a root; and that only the settings stay."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.install import host
from executor.commands.install.versions import PACKAGE, Versions
from tests.commands.install.test_versions import a_version


@pytest.fixture(name="versions")
def _versions(mocker: MockerFixture, tmp_path: Path) -> Versions:
    """A version that prints its settings; this machine gets no group."""
    mocker.patch.object(host, "GROUP", "root")
    versions = Versions(tmp_path / "opt/dind-executor")
    a_version(versions.prefix, "1.0")
    versions.switch("1.0")
    return versions


def files(root: Path) -> set[str]:
    """Return what lies below a root, without the versions."""
    found = {str(each.relative_to(root)) for each in root.rglob("*") if not each.is_dir()}
    return {each for each in found if not each.startswith("opt/")}


def test_everything_is_put_where_it_is_looked_for(versions: Versions, tmp_path: Path) -> None:
    """A second call changes nothing, and nothing but the settings stays in the end."""
    said = list(host.put_on_host(versions, tmp_path))

    command = tmp_path / "usr/local/bin/dind-executor"
    assert command.readlink() == versions.command
    assert files(tmp_path) == {
        "etc/dind-executor/settings.toml",
        "etc/logrotate.d/dind-executor",
        "usr/lib/sysusers.d/dind-executor.conf",
        "usr/local/bin/dind-executor",
    }
    assert said == [f"Wrote the default settings to {tmp_path}/etc/dind-executor/settings.toml."]
    log, state = tmp_path / "var/log/dind-executor", tmp_path / "var/lib/dind-executor"
    assert [each.stat().st_mode & 0o7777 for each in (log, state)] == [0o2750, 0o750]
    assert list(host.put_on_host(versions, tmp_path)) == []

    assert list(host.take_from_host(tmp_path)) == []

    assert files(tmp_path) == {"etc/dind-executor/settings.toml"}
    assert not log.exists()
    assert not state.exists()


def test_a_package_has_its_own_link(versions: Versions, tmp_path: Path) -> None:
    """The link of an installation from a clone goes, and units call the package's."""
    list(host.put_on_host(versions, tmp_path))
    assert host.command_of(versions) == host.COMMAND
    a_version(versions.prefix, PACKAGE)

    list(host.put_on_host(versions, tmp_path))

    assert host.command_of(versions) == Path("/usr/bin/dind-executor")
    assert "usr/local/bin/dind-executor" not in files(tmp_path)


def test_settings_stay_as_they_are(versions: Versions, tmp_path: Path) -> None:
    """The administrator's are never written to."""
    settings = tmp_path / "etc/dind-executor/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("mine")

    assert list(host.put_on_host(versions, tmp_path)) == []
    assert settings.read_text() == "mine"


def test_changed_snippets_stay(versions: Versions, tmp_path: Path) -> None:
    """They are named, both when something is installed and when all is removed."""
    list(host.put_on_host(versions, tmp_path))
    snippet = tmp_path / "etc/logrotate.d/dind-executor"
    snippet.write_text("# mine\n")

    (said,) = host.put_on_host(versions, tmp_path)
    (left,) = host.take_from_host(tmp_path)

    assert "has been changed, and stays as it is" in said
    assert left == f"{snippet} has been changed, and stays: remove it by hand."
    assert snippet.read_text() == "# mine\n"
    assert not snippet.with_name("dind-executor.new").exists()


def test_the_log_is_rotated_as_its_owner(versions: Versions, tmp_path: Path) -> None:
    """Nothing is copied and truncated, as two processes may write."""
    list(host.put_on_host(versions, tmp_path))

    text = (tmp_path / "etc/logrotate.d/dind-executor").read_text()

    directory = tmp_path / "var/log/dind-executor"
    assert f"{directory}/*.log {{\n    su {directory.owner()} root\n" in text
    assert "create 0640" in text
    assert "copytruncate" not in text
