"""Runtimes and privileges that fit each other."""

from pathlib import Path

import pytest

from tests.commands.doctor.hosts import Host


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ('[docker]\nuserns_mode = "host"\n', ["name=userns"]),
        ('[dind]\nruntime = "sysbox-runc"\n', ["name=userns"]),
        ("", ["name=seccomp,profile=builtin"]),
    ],
)
def test_mapped_users_that_the_settings_fit_pass(
    tmp_path: Path, settings: str, options: list[str]
) -> None:
    """The host's user namespace, or a runtime that needs no privileges, is right there."""
    host = Host(tmp_path, settings=settings)
    host.info["SecurityOptions"] = options

    assert [each.level for each in host.found("userns-remap")] == ["ok"]


def test_a_runtime_stands_in_for_privileges(tmp_path: Path) -> None:
    """A sidecar with a runtime is not privileged, and need not be."""
    host = Host(tmp_path, settings='[dind]\nruntime = "sysbox-runc"\n')
    host.info["Runtimes"] = {"runc": {}, "sysbox-runc": {}}

    assert [each.level for each in host.found("privileged")] == ["ok"]
    assert [each.level for each in host.found("runtime")] == ["ok"]


def test_labelled_directories_pass_under_selinux(tmp_path: Path) -> None:
    """An entry with :z, and a named volume, need nothing more."""
    host = Host(tmp_path, settings='[docker]\nvolumes = ["/srv/a:/a:ro,z", "/cache"]\n')
    host.info["SecurityOptions"] = ["name=selinux"]

    assert [each.level for each in host.found("lsm")] == ["ok"]
