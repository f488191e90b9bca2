"""All checks, by the groups in which people read them; docs/doctor.md has each id."""

from executor.commands.doctor import (
    about_config,
    about_engine,
    about_host,
    about_kernel,
    about_limits,
    about_network,
    about_others,
    about_privileges,
    about_service,
)
from executor.commands.doctor.findings import Check

_ONLINE_SECONDS = 30.0

ENGINE = (
    Check("engine-socket", "engine", about_host.engine_socket),
    Check("engine-kind", "engine", about_engine.engine_kind, needs_engine=True),
    Check("engine-version", "engine", about_engine.engine_version, needs_engine=True),
    Check("engine-warnings", "engine", about_engine.engine_warnings, needs_engine=True),
    Check("storage", "engine", about_engine.storage, needs_engine=True),
    Check("cgroup", "engine", about_engine.cgroup, needs_engine=True),
    Check("runtime", "engine", about_privileges.runtime, needs_engine=True),
    Check("privileged", "engine", about_privileges.privileged, needs_engine=True),
    Check("userns-remap", "engine", about_privileges.userns_remap, needs_engine=True),
    Check("rootless", "engine", about_privileges.rootless, needs_engine=True),
    Check("lsm", "engine", about_privileges.lsm, needs_engine=True),
    Check("live-restore", "engine", about_engine.live_restore, needs_engine=True),
    Check("log-driver", "engine", about_engine.log_limits, needs_engine=True),
)
KERNEL = tuple(
    Check(each_id, "kernel", look, needs_engine=True, needs_host=True)
    for each_id, look in (
        ("modules", about_kernel.modules),
        ("keyrings", about_kernel.keyrings),
        ("inotify", about_kernel.inotify),
        ("files", about_kernel.files),
        ("pids", about_kernel.pids),
        ("conntrack", about_kernel.conntrack),
    )
)
NETWORK = (
    Check("subnets", "network", about_network.subnets, needs_engine=True),
    Check("firewall", "network", about_network.firewall, needs_engine=True, needs_host=True),
    Check("isolation", "network", about_network.isolation, needs_engine=True, needs_host=True),
    Check("mtu", "network", about_network.mtu, needs_engine=True, needs_host=True),
    Check("dns", "network", about_network.dns, needs_engine=True, needs_host=True),
)
HOST = (
    Check("disk", "host", about_host.disk),
    Check("clock", "host", about_host.clock, seconds=_ONLINE_SECONDS),
    Check("log", "host", about_host.log),
)
RUNNER = (
    Check("config", "runner", about_config.config),
    Check("timeouts", "runner", about_limits.timeouts, needs_runner=True),
    Check("runner-config", "runner", about_limits.runner_config, needs_runner=True),
    Check("token", "runner", about_service.token, needs_runner=True),
    Check("runner-version", "runner", about_service.runner_version),
    Check("runner-service", "runner", about_service.runner_service),
    Check("runner-container", "runner", about_host.runner_container),
    Check("reaper", "runner", about_service.reaper),
    Check("gone-wrong", "runner", about_service.gone_wrong),
)
ONLINE = (
    Check(
        "gitlab",
        "online",
        about_others.gitlab,
        needs_runner=True,
        online=True,
        seconds=_ONLINE_SECONDS,
    ),
    Check(
        "registry", "online", about_others.registry, needs_engine=True, online=True, seconds=60.0
    ),
    Check(
        "mirror",
        "online",
        about_others.mirror,
        needs_engine=True,
        online=True,
        seconds=_ONLINE_SECONDS,
    ),
)

CHECKS = (*ENGINE, *KERNEL, *NETWORK, *HOST, *RUNNER, *ONLINE)
AS_JOB = Check("as-job", "job", lambda _: ())
"""Made by `as_job`, with --as-job alone."""
IDS = tuple(each.id for each in (*CHECKS, AS_JOB))
