"""One fault and more for each check: what is changed on a host that is right, and what is found then."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from executor.commands.doctor.facts import Answer, Asked, Process
from executor.engine.description import Description
from tests.commands.doctor.hosts import (
    CONFIG,
    NOW,
    OTHER,
    SOCKET,
    UNIT,
    Host,
    Json,
)

_LOG = "/var/log/dind-executor/dind-executor.log"
_STATE = "/var/lib/dind-executor"
GITLAB = Answer(401, {"content-type": "application/json", "date": "Mon, 30 Nov 2026 00:53:20 GMT"})


class Fault(NamedTuple):
    """A change to a host, and what the check says of it."""

    check: str
    name: str
    change: Callable[[Host], object]
    level: str
    words: str
    remedy: str = ""


def info(**changes: object) -> Callable[[Host], object]:
    """Have the engine say something else of itself."""
    return lambda host: host.info.update(changes)


def version(**changes: object) -> Callable[[Host], object]:
    """Have the engine name other versions."""
    return lambda host: host.version.update(changes)


def files(found: Mapping[str, str | None]) -> Callable[[Host], object]:
    """Have other files."""
    return lambda host: host.write(found)


def registered(old: str, new: str) -> Callable[[Host], object]:
    """Have something else in config.toml."""
    return lambda host: host.config(old, new)


def settings(text: str, **changes: Any) -> Callable[[Host], object]:
    """Have settings, and an engine that says something else of itself."""

    def change(host: Host) -> None:
        host.settings = text
        host.info.update(changes)

    return change


def seen(**facts: object) -> Callable[[Host], object]:
    """Have other facts."""
    return lambda host: host.more.update(facts)


def mode(path: str, bits: int) -> Callable[[Host], object]:
    """Have another mode of a file."""
    return lambda host: (host.root / path.lstrip("/")).chmod(bits)


def answering(answers: Mapping[str, Answer | OSError]) -> Callable[[Host], object]:
    """Have servers that answer so, by a part of the address; others answer as GitLab does."""

    def get(url: str, _authorities: str) -> Answer:
        answer = next((each for part, each in answers.items() if part in url), GITLAB)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return seen(asked=Asked(get))


def both(*changes: Callable[[Host], object]) -> Callable[[Host], object]:
    """Make several changes."""
    return lambda host: [each(host) for each in changes]


def record(**facts: object) -> str:
    """Return a stage's record of ten minutes ago."""
    known: Json = {
        "v": 1,
        "at": NOW - 600,
        "job": 7,
        "stage": "prepare",
        "outcome": "system_failure",
    }
    return json.dumps(known | facts) + "\n"


def metrics(status: str) -> Answer:
    """Return what gitlab-runner says of its requests for jobs."""
    line = (
        'gitlab_runner_api_request_statuses_total{endpoint="request_job",runner="x",'
        f'status="{status}"}} 12\n'
    )
    return Answer(200, {}, line.encode())


PROCESS = Process(71, ("gitlab-runner", "run"), {"HOME": "/root"}, in_container=False)
AWAY = Description({}, {}, [], [], "The Docker Engine cannot be reached: Connection refused.")
_CHRONY = "Tue, 01 Dec 2026 00:53:20 GMT"

FAULTS = (
    Fault(
        "engine-socket",
        "none",
        files({SOCKET: None}),
        "fail",
        "there is no",
        "systemctl start docker",
    ),
    Fault("engine-socket", "group", seen(user=OTHER), "fail", "does not allow it", "usermod"),
    Fault("engine-socket", "silent", seen(engine=AWAY), "fail", "refused", "journalctl -u docker"),
    Fault(
        "engine-kind", "podman", version(Components=[{"Name": "Podman Engine"}]), "fail", "Podman"
    ),
    Fault(
        "engine-kind", "desktop", info(OperatingSystem="Docker Desktop"), "warn", "virtual machine"
    ),
    Fault(
        "engine-version", "old", version(ApiVersion="1.40", MinAPIVersion="1.12"), "fail", "1.40"
    ),
    Fault(
        "engine-version", "new", version(MinAPIVersion="1.48"), "fail", "1.48", "min-api-version"
    ),
    Fault(
        "engine-warnings", "routes", info(IPv4Forwarding=False), "fail", "forwarding", "ip_forward"
    ),
    Fault(
        "engine-warnings",
        "memory",
        info(Warnings=["WARNING: No memory limit support"]),
        "warn",
        "limits of memory",
    ),
    Fault("storage", "vfs", info(Driver="vfs", DriverStatus=None), "fail", "vfs", "overlay2"),
    Fault("storage", "xfs", info(DriverStatus=[["Supports d_type", "false"]]), "fail", "ftype"),
    Fault(
        "storage",
        "nfs",
        info(DriverStatus=[["Backing Filesystem", "nfs"]]),
        "fail",
        "nfs",
        "data-root",
    ),
    Fault("storage", "aufs", info(Driver="aufs"), "warn", "aufs"),
    Fault("cgroup", "v1", info(CgroupVersion="1"), "warn", "version 1"),
    Fault(
        "cgroup",
        "less",
        files({"/sys/fs/cgroup/cgroup.controllers": "cpu pids\n"}),
        "warn",
        "memory",
    ),
    Fault(
        "runtime",
        "none",
        settings('[dind]\nruntime = "sysbox-runc"\n'),
        "fail",
        "no runtime sysbox-runc",
    ),
    Fault(
        "runtime",
        "kernel",
        settings(
            '[dind]\nruntime = "sysbox-runc"\n',
            Runtimes={"sysbox-runc": {}},
            KernelVersion="5.10.0",
        ),
        "fail",
        "5.12",
    ),
    Fault("privileged", "none", settings("[dind]\nprivileged = false\n"), "fail", "not privileged"),
    Fault("privileged", "plugin", info(Plugins={"Authorization": ["opa"]}), "warn", "opa"),
    Fault(
        "userns-remap",
        "mapped",
        info(SecurityOptions=["name=userns"]),
        "fail",
        "maps users",
        "userns_mode",
    ),
    Fault("rootless", "rootless", info(SecurityOptions=["name=rootless"]), "warn", "rootless"),
    Fault("lsm", "parser", info(SecurityOptions=["name=apparmor"]), "warn", "apparmor_parser"),
    Fault(
        "lsm",
        "off",
        files({"/sys/module/apparmor/parameters/enabled": "Y\n"}),
        "warn",
        "does not use",
    ),
    Fault(
        "lsm",
        "labels",
        settings('[docker]\nvolumes = ["/srv/data:/data"]\n', SecurityOptions=["name=selinux"]),
        "warn",
        "without a label",
        ":z",
    ),
    Fault("live-restore", "on", info(LiveRestoreEnabled=True), "warn", "live-restore"),
    Fault(
        "log-driver",
        "other",
        lambda host: host.containers.append({"Labels": {}}),
        "warn",
        "without a bound",
        "max-size",
    ),
    Fault(
        "modules",
        "veth",
        files(
            {
                "/proc/modules": "overlay 1 0 - Live 0x0\n",
                "/lib/modules/6.1.0-13-amd64/modules.dep": "kernel/fs/overlayfs/overlay.ko:\n",
            }
        ),
        "fail",
        "veth",
    ),
    Fault(
        "keyrings",
        "few",
        files({"/proc/sys/kernel/keys/root_maxkeys": "99\n"}),
        "warn",
        "99",
        "sysctl",
    ),
    Fault("keyrings", "mapped", info(SecurityOptions=["name=userns"]), "ok", "maxkeys is 200"),
    Fault(
        "inotify", "few", files({"/proc/sys/fs/inotify/max_user_instances": "64\n"}), "warn", "64"
    ),
    Fault(
        "files",
        "limit",
        files({"/proc/71/limits": "Max open files 1024 4096 files\n"}),
        "warn",
        "1024",
    ),
    Fault("pids", "few", files({"/proc/sys/kernel/pid_max": "4096\n"}), "warn", "4096"),
    Fault(
        "conntrack",
        "few",
        files({"/proc/sys/net/netfilter/nf_conntrack_max": "1000\n"}),
        "warn",
        "1000",
    ),
    Fault(
        "subnets",
        "route",
        settings('[docker]\nnetwork_pool = ["192.0.2.0/26"]\n'),
        "fail",
        "a route to 192.0.2.0/24",
        "network_pool",
    ),
    Fault(
        "subnets",
        "part",
        settings('[docker]\nnetwork_pool = ["192.0.0.0/16"]\n'),
        "warn",
        "kept free",
    ),
    Fault(
        "subnets", "small", settings('[docker]\nnetwork_pool = ["10.9.0.0/27"]\n'), "warn", "1 free"
    ),
    Fault(
        "firewall",
        "both",
        both(
            info(FirewallBackend={"Driver": "nftables"}),
            files({"/proc/net/ip_tables_names": "filter\n"}),
        ),
        "warn",
        "iptables-legacy",
    ),
    Fault(
        "firewall", "drop", seen(rules="*filter\n:FORWARD DROP [0:0]\n"), "warn", "FORWARD is DROP"
    ),
    Fault(
        "isolation",
        "wiped",
        seen(rules=":FORWARD ACCEPT [0:0]\n"),
        "fail",
        "bridge (docker0)",
        "restart",
    ),
    Fault(
        "mtu",
        "large",
        both(
            settings("[docker]\nnetwork_mtu = 1500\n"), files({"/sys/class/net/eth0/mtu": "1400\n"})
        ),
        "fail",
        "1400",
    ),
    Fault(
        "dns", "own", files({"/etc/resolv.conf": "nameserver 127.0.0.53\n"}), "warn", "127.0.0.53"
    ),
    Fault("disk", "full", settings('[disk]\nfloor = "900t"\n'), "fail", "no job begins", "prune"),
    Fault(
        "clock",
        "engine",
        info(SystemTime="2026-11-30T00:43:20Z"),
        "warn",
        "600 s ahead of the engine's",
    ),
    Fault(
        "clock",
        "gitlab",
        answering({"/version": GITLAB._replace(headers={"date": _CHRONY})}),
        "warn",
        "behind GitLab's",
        "set-ntp",
    ),
    Fault("log", "owner", both(seen(user=OTHER), mode(_LOG, 0o640)), "warn", _LOG, "chown"),
    Fault(
        "log",
        "none",
        settings('[log]\npath = "/var/log/nowhere/a.log"\n'),
        "warn",
        "/var/log/nowhere",
    ),
    Fault("log", "spool", both(seen(user=OTHER), mode(f"{_STATE}/spool", 0o700)), "warn", "spool"),
    Fault(
        "config",
        "key",
        registered("cleanup_exec =", "clenup_exec ="),
        "fail",
        "`clenup_exec`",
        "`cleanup_exec`",
    ),
    Fault("config", "toml", files({CONFIG: "a = = b\n"}), "fail", "is not TOML"),
    Fault("config", "hook", files({"/opt/dind-executor/hooks/run": None}), "fail", "is not there"),
    Fault(
        "config",
        "executable",
        mode("/opt/dind-executor/hooks/run", 0o644),
        "fail",
        "not executable",
    ),
    Fault("config", "mixed", registered("hooks/run", "hooks/config"), "fail", "not the hook"),
    Fault("config", "args", registered("run_args =", "rnn_args ="), "fail", "names no settings"),
    Fault(
        "config",
        "settings",
        registered('"/etc/dind-executor/settings.toml"]', '"/etc/other.toml"]'),
        "fail",
        "different settings",
    ),
    Fault(
        "config",
        "never",
        registered("graceful_kill_timeout", "exec_terminate_timeout"),
        "fail",
        "exec_terminate_timeout",
        "graceful_kill_timeout",
    ),
    Fault(
        "config",
        "top",
        registered("concurrent", "concurent"),
        "warn",
        "`concurent`",
        "`concurrent`",
    ),
    Fault(
        "timeouts", "cleanup", registered("= 900", "= 60"), "warn", "cleanup_exec_timeout", "900"
    ),
    Fault("timeouts", "graceful", registered("= 120\n", "= 20\n"), "warn", "shutdown_timeout"),
    Fault(
        "timeouts", "cancel", registered("graceful_kill_timeout = 120", ""), "warn", "300 s", "120"
    ),
    Fault(
        "timeouts",
        "prepare",
        registered('executor = "custom"', 'executor = "custom"\n  prepare_timeout = "10m"'),
        "warn",
        "prepare_timeout",
    ),
    Fault(
        "runner-config",
        "builds",
        registered('builds_dir = "/builds"', ""),
        "fail",
        "builds_dir",
        "`builds",
    ),
    Fault(
        "runner-config",
        "many",
        registered("concurrent = 2", "concurrent = 64"),
        "warn",
        "64",
        "concurrent = 8",
    ),
    Fault("runner-config", "git", registered("safe_directory_checkout = true", ""), "warn", "git"),
    Fault(
        "runner-config",
        "docker",
        registered("  [runners.custom]", '  [runners.docker]\n    image = "a"\n  [runners.custom]'),
        "warn",
        "[runners.docker]",
        "migrate",
    ),
    Fault(
        "runner-config",
        "verify",
        registered(
            "  [runners.custom]",
            "  [runners.experimental.boot_verify]\n    enabled = true\n  [runners.custom]",
        ),
        "fail",
        "boot_verify",
    ),
    Fault("token", "mode", mode(CONFIG, 0o644), "fail", "mode 0644", "chmod 600"),
    Fault(
        "token",
        "expiry",
        registered('token = "', 'token_expires_at = 2026-12-02T00:00:00Z\n  token = "'),
        "warn",
        "expires in",
    ),
    Fault(
        "token",
        "variable",
        both(registered('"glrt-of-the-tests-000000"', '"$TOKEN"'), seen(process=PROCESS)),
        "fail",
        "$TOKEN",
    ),
    Fault("token", "none", registered('"glrt-of-the-tests-000000"', '""'), "fail", "no token"),
    Fault("runner-version", "old", seen(version=(16, 11, 0)), "fail", "16.11.0"),
    Fault(
        "runner-service",
        "default",
        files({f"{UNIT}.d/10-dind-executor.conf": None}),
        "warn",
        "KillMode is control-group",
        "install",
    ),
    Fault(
        "runner-service",
        "tmp",
        files({f"{UNIT}.d/20.conf": "[Service]\nPrivateTmp=yes\n"}),
        "warn",
        "PrivateTmp",
    ),
    Fault(
        "runner-container",
        "other",
        seen(process=PROCESS._replace(in_container=True)),
        "warn",
        "in a container",
        "docker exec",
    ),
    Fault(
        "runner-container",
        "alone",
        seen(container="0" * 64),
        "warn",
        "in the container alone",
        "-v",
    ),
    Fault(
        "runner-container",
        "file",
        both(
            settings('[dind]\nauthorities_in_builds = "/srv/authorities.pem"\n'),
            seen(container="0" * 64),
            files(
                {
                    "/proc/self/mountinfo": "1 1 0:1 / /var/lib rw - a b\n1 1 0:1 / /var/log rw - a b\n"
                    "1 1 0:1 / /etc/gitlab-runner rw - a b\n"
                }
            ),
        ),
        "fail",
        "/srv/authorities.pem",
    ),
    Fault(
        "reaper",
        "none",
        files({"/etc/systemd/system/timers.target.wants/dind-executor-reap.timer": None}),
        "warn",
        "dind-executor-reap.timer",
        "install",
    ),
    Fault(
        "reaper",
        "old",
        files({f"{_STATE}/sweep-00000000.json": f'{{"version": 1, "at": {NOW - 7200}}}'}),
        "warn",
        "2 h ago",
    ),
    Fault(
        "reaper",
        "left",
        files({f"{_STATE}/sweep-00000000.json": f'{{"version": 1, "at": {NOW - 9}, "left": [1]}}'}),
        "warn",
        "could not remove",
        "reap",
    ),
    Fault(
        "gone-wrong",
        "resources",
        files({f"{_STATE}/spool/events.jsonl": record(reason="resources")}),
        "warn",
        "`resources`",
        "--only disk,subnets",
    ),
    Fault(
        "gitlab", "silent", answering({"/api/v4": OSError("refused")}), "fail", "refused", "certs"
    ),
    Fault(
        "gitlab",
        "page",
        answering({"/api/v4": Answer(200, {"content-type": "text/html"})}),
        "fail",
        "with a page",
    ),
    Fault(
        "gitlab",
        "token",
        both(
            registered("concurrent = 2", 'concurrent = 2\nlisten_address = "127.0.0.1:9252"'),
            answering({"/metrics": metrics("403")}),
        ),
        "fail",
        "refused all requests",
        "reset",
    ),
    Fault(
        "mirror",
        "dead",
        both(
            info(RegistryConfig={"Mirrors": ["https://mirror.example.com/"]}),
            answering({"mirror": OSError("Connection refused")}),
        ),
        "warn",
        "mirror.example.com",
        "daemon.json",
    ),
)
RIGHT: dict[str, Callable[[Host], object]] = {
    "gitlab": both(
        registered("concurrent = 2", 'concurrent = 2\nlisten_address = "127.0.0.1:9252"'),
        answering({"/metrics": metrics("204")}),
    ),
    "mirror": both(
        info(RegistryConfig={"Mirrors": ["https://mirror.example.com/"]}),
        answering({"mirror": Answer(200, {})}),
    ),
}
"""What else there is on a host that passes a check."""
ELSEWHERE = {"registry": "tests/commands/doctor/test_about_others.py has an engine for it"}
