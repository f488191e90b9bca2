"""Hosts for doctor: one that is right in all, as a tree of files and an engine's words, and changes to it."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from executor.commands.doctor.facts import Config, Facts
from executor.commands.doctor.files import Files, User
from executor.commands.doctor.findings import Finding
from executor.commands.doctor.gather import read_config
from executor.commands.doctor.service import read_service
from executor.commands.doctor.table import CHECKS
from executor.commands.doctor.work import judged
from executor.engine.description import Description
from executor.settings.file import read_settings
from tests.engine.stub import StubEngine, http

NAME = "builder"
SOCKET = "/var/run/docker.sock"
ADDRESS = f"unix://{SOCKET}"
CONFIG = "/etc/gitlab-runner/config.toml"
SETTINGS = "/etc/dind-executor/settings.toml"
UNIT = "/etc/systemd/system/gitlab-runner.service"
NOW = 1_796_000_000.0
GITLAB = "https://gitlab.example.com"

Json = dict[str, Any]

ROOT = User("root", 0, frozenset({0}), "its unit")
OTHER = User("gitlab-runner", 995, frozenset({994}), "its unit")
"""A user who is in no group that anything here belongs to."""

REGISTRATION = f"""\
concurrent = 2
shutdown_timeout = 120
[[runners]]
  name = "here"
  url = "{GITLAB}"
  token = "glrt-of-the-tests-000000"
  executor = "custom"
  builds_dir = "/builds"
  cache_dir = "/cache"
  safe_directory_checkout = true
  [runners.custom]
    config_exec = "/opt/dind-executor/hooks/config"
    config_args = ["--settings", "{SETTINGS}"]
    prepare_exec = "/opt/dind-executor/hooks/prepare"
    prepare_args = ["--settings", "{SETTINGS}"]
    run_exec = "/opt/dind-executor/hooks/run"
    run_args = ["--settings", "{SETTINGS}"]
    cleanup_exec = "/opt/dind-executor/hooks/cleanup"
    cleanup_args = ["--settings", "{SETTINGS}"]
    cleanup_exec_timeout = 900
    graceful_kill_timeout = 120
"""

INFO: Json = {
    "Name": NAME,
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "CgroupVersion": "2",
    "Runtimes": {"runc": {}, "io.containerd.runc.v2": {}},
    "DefaultRuntime": "runc",
    "KernelVersion": "6.1.0-13-amd64",
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "OSType": "linux",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "Plugins": {"Authorization": None},
    "LoggingDriver": "json-file",
    "LiveRestoreEnabled": False,
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "IPv4Forwarding": True,
    "SystemTime": "2026-11-30T00:53:20.5Z",
    "NCPU": 4,
    "MemTotal": 16 * 1024**3,
    "DockerRootDir": "/var/lib/docker",
    "RegistryConfig": {"Mirrors": []},
    "Warnings": None,
}
VERSION: Json = {
    "Version": "28.5.2",
    "ApiVersion": "1.51",
    "MinAPIVersion": "1.24",
    "Components": [{"Name": "Engine", "Version": "28.5.2"}],
}
BRIDGE: Json = {
    "Name": "bridge",
    "Id": "0123456789abcdef",
    "Driver": "bridge",
    "Options": {"com.docker.network.bridge.name": "docker0"},
    "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]},
}
RULES = """\
:FORWARD ACCEPT [0:0]
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -j DOCKER
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
"""
MODULES = "overlay br_netfilter nf_nat ip_tables xt_conntrack veth"
ROUTES = (
    "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    "eth0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0\n"
    "eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"  # 192.0.2.0/24
)
FILES: dict[str, str] = {
    "/proc/sys/kernel/hostname": f"{NAME}\n",
    "/proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
    "/proc/sys/kernel/pid_max": "4194304\n",
    "/proc/sys/kernel/keys/root_maxkeys": "1000000\n",
    "/proc/sys/kernel/keys/maxkeys": "200\n",
    "/proc/sys/fs/inotify/max_user_instances": "8192\n",
    "/proc/sys/fs/file-max": "9223372036854775807\n",
    "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
    "/proc/modules": "".join(f"{each} 16384 0 - Live 0x0\n" for each in MODULES.split()),
    "/proc/net/route": ROUTES,
    "/proc/71/comm": "dockerd\n",
    "/proc/71/status": "NSpid:\t71\n",
    "/proc/71/limits": "Limit Soft Hard Units\nMax open files 1048576 1048576 files\n",
    "/sys/class/net/eth0/mtu": "1500\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids\n",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\ngitlab-runner:x:995:994::/home/gitlab-runner:/bin/sh\n",
    "/etc/group": "root:x:0:\ngitlab-runner:x:994:\ndocker:x:993:gitlab-runner\n",
    "/etc/resolv.conf": "nameserver 192.0.2.53\n",
    CONFIG: REGISTRATION,
    SETTINGS: "",
    UNIT: "[Service]\nExecStart=/usr/bin/gitlab-runner run --config /etc/gitlab-runner/config.toml\n",
    f"{UNIT}.d/10-dind-executor.conf": (
        "[Service]\nKillMode=mixed\nKillSignal=SIGQUIT\nTimeoutStopSec=8400\n"
    ),
    "/etc/systemd/system/timers.target.wants/dind-executor-reap.timer": "",
    "/var/log/dind-executor/dind-executor.log": "",
    "/var/lib/dind-executor/spool/events.jsonl": "",
    "/var/lib/docker/engine-id": "",
    "/tmp/.there": "",
    **{
        f"/opt/dind-executor/hooks/{each}": "#!/bin/sh\n"
        for each in ("config", "prepare", "run", "cleanup")
    },
}


def plant(root: Path, files: Mapping[str, str | None]) -> None:
    """Write files below a root; None removes one."""
    for name, text in files.items():
        path = root / name.lstrip("/")
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if "/hooks/" in name:
            path.chmod(0o755)
        if name == CONFIG:
            path.chmod(0o600)


def plant_process(
    root: Path,
    pid: int,
    *arguments: str,
    uid: int = 0,
    real_uid: int | None = None,
    program: str = "/usr/bin/gitlab-runner",
    pids: str = "",
    environ: Mapping[str, str] | None = None,
) -> None:
    """Write what the kernel says of a gitlab-runner, or of what calls itself so."""
    real = uid if real_uid is None else real_uid
    words = ("gitlab-runner", "run", *arguments)
    plant(
        root,
        {
            f"/proc/{pid}/comm": "gitlab-runner\n",
            f"/proc/{pid}/status": f"Uid:\t{real}\t{uid}\t{uid}\t{uid}\nNSpid:\t{pids or pid}\n",
            f"/proc/{pid}/cmdline": "".join(f"{each}\0" for each in words),
            f"/proc/{pid}/environ": "".join(f"{k}={v}\0" for k, v in (environ or {}).items()),
        },
    )
    (root / f"proc/{pid}/exe").symlink_to(program)


def plant_host(root: Path) -> Path:
    """Write the files of a host that is right in all."""
    plant(root, FILES)
    return root


@dataclass
class Host:
    """A host that is right in all until a test changes it."""

    root: Path
    info: Json = field(default_factory=lambda: dict(INFO))
    version: Json = field(default_factory=lambda: dict(VERSION))
    networks: list[Json] = field(default_factory=lambda: [BRIDGE])
    containers: list[Json] = field(default_factory=list)
    settings: str = ""
    more: Json = field(default_factory=dict)
    """Other facts, by the names of their fields."""

    def __post_init__(self) -> None:
        plant_host(self.root)
        path = self.root / SOCKET.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
            path.chmod(0o660)

    def write(self, files: Mapping[str, str | None]) -> None:
        """Change files."""
        plant(self.root, files)

    def config(self, old: str, new: str) -> None:
        """Change config.toml."""
        text = (self.root / CONFIG.lstrip("/")).read_text()
        assert old in text
        self.write({CONFIG: text.replace(old, new, 1)})

    def facts(self) -> Facts:
        """Return what is seen of it."""
        files = Files(str(self.root))
        found = Facts(
            files=files,
            address=ADDRESS,
            engine=Description(self.version, self.info, self.networks, self.containers),
            user=ROOT,
            config=self.registration(),
            settings=read_settings(self.settings, "settings.toml"),
            now=NOW,
            settings_path=SETTINGS,
            service=read_service(files),
            version=(17, 9, 0),
            rules=RULES,
        )
        return replace(found, **self.more)

    def registration(self) -> Config:
        """Return config.toml as it is read."""
        return read_config(Files(str(self.root)), CONFIG)

    def found(self, check_id: str) -> list[Finding]:
        """Return what a check finds here."""
        check = next(each for each in CHECKS if each.id == check_id)
        return judged(check, self.facts())


@contextmanager
def running(host: Host) -> Iterator[Host]:
    """Have a host's engine answer at its socket, with the time of now."""
    path = host.root / SOCKET.lstrip("/")
    path.unlink(missing_ok=True)
    engine = StubEngine(path)
    now = datetime.now(UTC).isoformat()
    told = {
        "/version": host.version,
        "/info": {**host.info, "SystemTime": now},
        "/networks": host.networks,
    }
    if host.info["SystemTime"] != INFO["SystemTime"]:
        told["/info"] = host.info
    for name, body in {**told, "/containers/json": host.containers}.items():
        engine.on("GET", f"^{name}$", http(200, body))
    try:
        yield host
    finally:
        engine.close()
