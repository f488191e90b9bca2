"""The kernel's modules by each of the places that tell of them, and its counts."""

import gzip
from pathlib import Path

import pytest

from tests.commands.doctor.hosts import MODULES, Host


def config(**values: str) -> bytes:
    """Return a kernel's configuration, compressed as in /proc."""
    return gzip.compress(
        "".join(f"CONFIG_{name}={each}\n" for name, each in values.items()).encode()
    )


BUILT_IN = config(
    OVERLAY_FS="y", BRIDGE_NETFILTER="y", NF_NAT="y", NF_TABLES="y",
    NETFILTER_XT_MATCH_CONNTRACK="y", VETH="y",
)  # fmt: skip


def test_modules_to_load_count(tmp_path: Path) -> None:
    """What modules.dep names is there, though nothing has loaded it yet."""
    lines = "".join(f"kernel/a/{each}.ko.xz: kernel/b/x.ko\n" for each in MODULES.split())
    host = Host(tmp_path)
    host.write({"/proc/modules": "", "/lib/modules/6.1.0-13-amd64/modules.dep": lines})

    assert [each.level for each in host.found("modules")] == ["ok"]


def test_a_kernel_without_modules_has_them_built_in(tmp_path: Path) -> None:
    """Where there are no modules at all, the configuration in /proc tells."""
    host = Host(tmp_path)
    host.write({"/proc/modules": None})
    (tmp_path / "proc/config.gz").write_bytes(BUILT_IN)

    assert [each.level for each in host.found("modules")] == ["ok"]


def test_modules_of_another_kernel_do_not_count(tmp_path: Path) -> None:
    """After an upgrade without a reboot, those of the new kernel do not help the old one."""
    lines = "".join(f"kernel/a/{each}.ko: \n" for each in MODULES.split())
    host = Host(tmp_path)
    host.write({"/proc/modules": "loop 1 0\n", "/lib/modules/6.1.0-14-amd64/modules.dep": lines})
    (tmp_path / "proc/config.gz").write_bytes(config(OVERLAY_FS="m", VETH="m"))

    assert [each.level for each in host.found("modules")] == ["fail"]


def test_nothing_to_read_is_not_judged(tmp_path: Path) -> None:
    """Without modules and configuration nobody can tell."""
    host = Host(tmp_path)
    host.write({"/proc/modules": None})

    assert [each.level for each in host.found("modules")] == ["skip"]


@pytest.mark.parametrize(("jobs", "level"), [(4, "ok"), (5, "warn")])
def test_mapped_users_need_more_keyrings(tmp_path: Path, jobs: int, level: str) -> None:
    """With `userns-remap` the default of 200 is enough for four jobs."""
    host = Host(tmp_path)
    host.info["SecurityOptions"] = ["name=userns"]
    host.config("concurrent = 2", f"concurrent = {jobs}")

    assert {each.level for each in host.found("keyrings")} == {level}


def test_the_dockerd_of_a_job_does_not_count(tmp_path: Path) -> None:
    """A dockerd in a PID namespace of its own is dind's, and has what the job gives it."""
    host = Host(tmp_path)
    host.write(
        {
            "/proc/72/comm": "dockerd\n",
            "/proc/72/status": "NSpid:\t72\t1\n",
            "/proc/72/limits": "Max open files 1024 1024 files\n",
        }
    )

    assert [each.level for each in host.found("files")] == ["ok"]


def test_what_is_not_loaded_may_be_in_the_kernel(tmp_path: Path) -> None:
    """In a container the host's modules are seen, and neither files of modules nor a configuration."""
    host = Host(tmp_path)
    host.write({"/proc/modules": "veth 1 0 - Live 0x0\n"})

    assert [each.level for each in host.found("modules")] == ["skip"]
