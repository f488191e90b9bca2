"""What containers may use of the host, by the administrator's settings, in the engine's own words.

Each function returns the part of a container's `HostConfig` that says more than the engine's
defaults.  Pure: no I/O.
"""

from collections.abc import Iterable, Mapping

from executor.notation import amounts as units
from executor.notation.booleans import is_true
from executor.notation.image_names import with_default_tag
from executor.notation.patterns import match
from executor.plan.admission import admits_privileged_build, admits_privileged_service
from executor.plan.inputs import Inputs
from executor.settings.limits import Limits
from executor.shell import DIRECTORY
from executor.spec import HostConfig

OWN_TMPFS = {DIRECTORY: "rw,exec,nosuid,nodev,mode=1777"}
"""Where what dind-executor sends through stdin lies."""

_INIT_FLAG = "FF_USE_INIT_WITH_DOCKER_EXECUTOR"


def build_host(inputs: Inputs, name: str) -> HostConfig:
    """Return what the build container may use; `name` is its image as the job writes it."""
    docker = inputs.settings.docker
    privileged = admits_privileged_build(inputs.settings, name)
    return _given(
        **_job_containers(inputs),
        Privileged=privileged,
        PidMode=docker.containers.pid_mode,
        Init=_has_init(inputs),
    )


def helper_host(inputs: Inputs) -> HostConfig:
    """Return what the helper container may use; it is never privileged."""
    return _given(**_job_containers(inputs))


def service_host(inputs: Inputs, name: str) -> HostConfig:
    """Return what a service may use; `name` is its image as the job writes it."""
    docker = inputs.settings.docker
    return _given(
        **_services(inputs, name),
        Runtime=docker.containers.runtime,
        Privileged=admits_privileged_service(inputs.settings, name),
        Init=_has_init(inputs),
        **_limits(docker.service_limits),
        PidsLimit=docker.services.service_pids_limit,
    )


def dind_host(inputs: Inputs, name: str) -> HostConfig:
    """Return what the sidecar may use: as a service, where `[dind]` has no key of its own for it."""
    docker, dind = inputs.settings.docker, inputs.settings.dind
    return _given(
        **_services(inputs, name),
        Runtime=dind.runtime,
        Privileged=dind.privileged,
        **_limits(dind.limits.completed(docker.service_limits)),
        PidsLimit=dind.pids_limit,
        Ulimits=_ulimits(dind.ulimit),
        Sysctls=dind.sysctls,
    )


def tmpfs(
    given: Mapping[str, str],
    own: Mapping[str, str],
    others: tuple[tuple[tuple[str, str], ...], tuple[str, ...]],
) -> dict[str, str]:
    """Return the administrator's tmpfs and the executor's own; `others` are mounts and binds.

    No place has two: the engine would refuse the container.
    """
    mounts, binds = others
    taken = (*own, *(place for _, place in mounts), *(each.split(":")[1] for each in binds))
    places = {_plain(each) for each in taken}
    return {**{path: how for path, how in given.items() if _plain(path) not in places}, **own}


def _job_containers(inputs: Inputs) -> HostConfig:
    """Return what build and helper container have in common."""
    docker = inputs.settings.docker
    return {
        "Runtime": docker.containers.runtime,
        **_limits(docker.limits),
        "PidsLimit": docker.containers.pids_limit,
        "CpusetMems": docker.containers.cpuset_mems,
        "OomKillDisable": docker.containers.oom_kill_disable,
        "OomScoreAdj": docker.containers.oom_score_adjust,
        "ShmSize": docker.containers.shm_size,
        "Ulimits": _ulimits(docker.containers.ulimit),
        "GroupAdd": list(docker.containers.group_add),
        "UsernsMode": docker.containers.userns_mode,
        "CapAdd": list(docker.containers.cap_add),
        "CapDrop": list(docker.containers.cap_drop),
        "SecurityOpt": _security(inputs, docker.containers.security_opt),
        "Devices": [units.device(each) for each in docker.containers.devices],
        "DeviceCgroupRules": list(docker.containers.device_cgroup_rules),
        "DeviceRequests": _gpus(docker.containers.gpus),
        "Sysctls": docker.containers.sysctls,
        "VolumesFrom": list(docker.containers.volumes_from),
        "IpcMode": docker.containers.ipcmode,
    }


def _limits(limits: Limits) -> HostConfig:
    """Return what the settings say of memory and processors."""
    return {
        "Memory": _bytes(limits.memory),
        "MemorySwap": _swap(limits.memory_swap),
        "MemoryReservation": _bytes(limits.memory_reservation),
        "CgroupParent": limits.cgroup_parent,
        "CpusetCpus": limits.cpuset_cpus,
        "CpuShares": limits.cpu_shares,
        "NanoCpus": _cpus(limits.cpus),
    }


def _services(inputs: Inputs, name: str) -> HostConfig:
    """Return what services and the sidecar have in common."""
    docker = inputs.settings.docker
    image = with_default_tag(name)
    return {
        "ShmSize": docker.containers.shm_size,
        "UsernsMode": docker.containers.userns_mode,
        "SecurityOpt": _security(inputs, docker.services.services_security_opt),
        "Devices": [
            units.device(each)
            for pattern, devices in docker.services.services_devices.items()
            if match(pattern, image)
            for each in devices
        ],
        "DeviceRequests": _gpus(docker.services.service_gpus),
    }


def _given(**host: object) -> HostConfig:
    """Leave out what is empty, for which the engine has defaults."""
    return {key: value for key, value in host.items() if value}


def _security(inputs: Inputs, options: Iterable[str]) -> list[str]:
    """Put seccomp profiles in the place of their paths: the engine may be on another host."""
    return [inputs.seccomp_profiles.get(each, each) for each in options]


def _ulimits(limits: Mapping[str, str]) -> list[dict[str, object]]:
    found = [(name, *units.ulimit(text)) for name, text in limits.items()]
    return [{"Name": name, "Soft": soft, "Hard": hard} for name, soft, hard in found]


def _gpus(text: str) -> list[dict[str, object]]:
    return [units.gpu_request(text)] if text else []


def _bytes(text: str) -> int:
    return units.byte_size(text) if text else 0


def _swap(text: str) -> int:
    return units.swap_size(text) if text else 0


def _cpus(text: str) -> int:
    return units.nano_cpus(text) if text else 0


def _has_init(inputs: Inputs) -> bool:
    """Tell whether an init is asked for; a job may, as it touches nothing but its own processes."""
    return is_true(inputs.values.get(_INIT_FLAG, ""))


def _plain(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
