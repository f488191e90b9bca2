"""Files below another root, users, and what config.toml says."""

from pathlib import Path

import pytest

from executor.commands.doctor.facts import Runner
from executor.commands.doctor.findings import CannotTell
from tests.commands.doctor.hosts import Host


def test_the_settings_of_all_stages_are_named_once() -> None:
    """Both ways to write the option are read."""
    custom = {"run_args": ["--settings", "/a"], "config_args": ["--settings=/b", "--settings"]}

    assert Runner("x", {"custom": custom}).settings_files() == ("/b", "/a")


def test_a_number_of_the_kernel_that_is_not_there_cannot_be_judged(tmp_path: Path) -> None:
    """A kernel without a setting is not taken for one that sets it to 0."""
    with pytest.raises(CannotTell):
        Host(tmp_path).facts().sysctl("kernel.none")


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:2376", "unix:///var/run/docker.sock"])
def test_an_engine_elsewhere_is_known_by_address_or_name(tmp_path: Path, address: str) -> None:
    """TCP leads to another host, and so does a socket whose engine has another name."""
    host = Host(tmp_path, more={"address": address})
    host.info["Name"] = "builder" if address.startswith("tcp") else "other"

    assert host.facts().elsewhere
