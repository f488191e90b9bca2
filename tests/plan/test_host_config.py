"""What containers may use of the host: how administrators write it, and which container gets it."""

from dataclasses import replace

import pytest

from executor.shell import DIRECTORY
from tests import container_keys
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import a_plan, dind_of, everything

GIB = 1 << 30
SOME, MANY = {"PidsLimit": 16384}, {"PidsLimit": 65536}


JOB_CONTAINERS = {
    "Runtime": "runc",
    "Memory": 512 << 20,
    "MemorySwap": GIB,
    "MemoryReservation": 256 << 20,
    "CgroupParent": "/jobs",
    "CpusetCpus": "0-1",
    "CpusetMems": "0",
    "CpuShares": 512,
    "NanoCpus": 333333333,
    "PidsLimit": 512,
    "OomKillDisable": True,
    "OomScoreAdj": 500,
    "ShmSize": 128 << 20,
    "Ulimits": [
        {"Name": "nofile", "Soft": 1024, "Hard": 2048},
        {"Name": "nproc", "Soft": -1, "Hard": -1},
    ],
    "GroupAdd": ["audio", "1234"],
    "UsernsMode": "host",
    "CapAdd": ["NET_ADMIN"],
    "CapDrop": ["MKNOD"],
    "SecurityOpt": ["seccomp=unconfined", "no-new-privileges"],
    "Devices": [
        {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/null", "PathInContainer": "/dev/other-null", "CgroupPermissions": "rw"},
    ],
    "DeviceCgroupRules": ["c 10:232 rwm"],
    "DeviceRequests": [
        {"Driver": "", "Count": -1, "Capabilities": [["gpu"]], "Options": {}},
    ],
    "Sysctls": {"net.core.somaxconn": "512"},
    "VolumesFrom": ["data:ro"],
    "IpcMode": "shareable",
}  # fmt: skip
ALL_SERVICES = {
    "ShmSize": 128 << 20,
    "UsernsMode": "host",
    "SecurityOpt": ["no-new-privileges"],
    "DeviceRequests": [
        {
            "Driver": "",
            "Count": 0,
            "Capabilities": [["gpu"]],
            "Options": {},
            "DeviceIDs": ["0"],
        },
    ],
}
SERVICES = ALL_SERVICES | {
    "Runtime": "runc",
    "Memory": 128 << 20,
    "MemorySwap": -1,
    "MemoryReservation": 64 << 20,
    "CgroupParent": "/services",
    "CpusetCpus": "0",
    "CpuShares": 256,
    "NanoCpus": 25 * 10**7,
    "PidsLimit": 128,
}
SIDECAR = ALL_SERVICES | {
    "Privileged": True,
    "Memory": 2 * GIB,
    "MemorySwap": 4 * GIB,
    "MemoryReservation": GIB,
    "CgroupParent": "/dind",
    "CpusetCpus": "1",
    "NanoCpus": 2 * 10**9,
    "PidsLimit": 4096,
    "CpuShares": 2048,
    "Ulimits": [{"Name": "nofile", "Soft": 65536, "Hard": 65536}],
    "Sysctls": {"net.ipv4.ip_forward": "1"},
}


def test_the_build_container_gets_its_keys() -> None:
    """It alone may be privileged by `privileged`, and see other processes."""
    assert everything().build.host == JOB_CONTAINERS | {"Privileged": True, "PidMode": "host"}


def test_the_helper_gets_the_keys_of_the_build_container() -> None:
    """The helper has the same keys except for privileges, which it does not need."""
    assert everything().helper.host == JOB_CONTAINERS


def test_services_get_their_keys() -> None:
    """Only allowed ones are privileged; devices go by the image."""
    postgres, web = everything().services

    device = {"PathOnHost": "/dev/null", "PathInContainer": "/dev/service-null"}
    assert postgres.host == SERVICES | {"Privileged": True}
    assert web.host == SERVICES | {"Devices": [{**device, "CgroupPermissions": "r"}]}


def test_the_sidecar_gets_its_keys() -> None:
    """The keys of `[dind]` come before those of services."""
    assert dind_of(everything()).host == SIDECAR


def test_the_sidecar_is_a_service() -> None:
    """What `[dind]` does not say, the keys of services say; a limit never goes around it.

    Only processes are counted apart: there are those of all that runs in the sidecar.
    """
    plan = a_plan(some_inputs(settings=f"[docker]\n{container_keys.DOCKER}{container_keys.OURS}"))

    limits = {key: value for key, value in SERVICES.items() if key != "Runtime"}
    assert dind_of(plan).host == limits | {"Privileged": True, **MANY}


def test_without_keys_the_engine_decides() -> None:
    """Nothing is said to the engine except that the sidecar is privileged, and how much is too much.

    No script, service or sidecar takes the last process of the host.
    """
    plan = a_plan(some_inputs(services=[a_service("postgres:16")]))

    hosts = [each.host for each in (plan.build, plan.helper, *plan.services)]
    assert hosts == [SOME, SOME, SOME]
    assert dind_of(plan).host == {"Privileged": True, **MANY}


def test_processes_without_a_limit() -> None:
    """An administrator may lift it."""
    settings = "docker.pids_limit = -1\ndocker.service_pids_limit = 0\ndind.pids_limit = -1"
    plan = a_plan(some_inputs(settings=settings, services=[a_service("postgres:16")]))

    assert plan.build.host == plan.helper.host == {"PidsLimit": -1}
    assert plan.services[0].host == {}
    assert dind_of(plan).host == {"Privileged": True, "PidsLimit": -1}


def test_tmpfs_beside_ours() -> None:
    """Each place has one tmpfs: what dind-executor mounts itself stays."""
    plan = everything()

    ours = {DIRECTORY}
    assert set(plan.helper.tmpfs) == {"/scratch"} | ours
    assert set(plan.build.tmpfs) == {"/scratch", "/certs/client"} | ours
    assert set(plan.services[0].tmpfs) == {"/scratch", "/var/lib/docker"}
    assert set(dind_of(plan).tmpfs) == {"/scratch", "/certs"} | ours


def test_a_tmpfs_gives_way_to_a_volume() -> None:
    """A place that the job's variables name is seen only when the job is planned."""
    settings = "docker.volumes = ['a:/$PLACE']\ndocker.tmpfs = { '/scratch' = 'rw' }\n"
    settings += "docker.services_tmpfs = { '/scratch/' = 'rw' }"
    inputs = some_inputs(
        settings=settings,
        services=[a_service("postgres:16")],
        variables=[a_variable("PLACE", "scratch")],
    )

    plan = a_plan(inputs)

    for each in (plan.build, plan.helper, *plan.services, dind_of(plan)):
        assert not {"/scratch", "/scratch/"} & set(each.tmpfs)
        assert "a:/scratch" in each.binds


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ("", {}),
        ("pid_mode = 'host'", {"PidMode": "host"}),
        ("privileged = true", {"Privileged": True}),
        ("pid_mode = 'host'\nprivileged = true", {"PidMode": "host", "Privileged": True}),
    ],
)
def test_the_pid_mode(settings: str, host: dict[str, object]) -> None:
    """The mode needs no privileges, and gives none."""
    plan = a_plan(some_inputs(settings=f"[docker]\n{settings}"))

    assert (plan.build.host, plan.helper.host) == (host | SOME, SOME)


@pytest.mark.parametrize(
    ("pattern", "image", "found"),
    [
        ("alpine:*", "alpine", True),
        ("alpine:3.*", "alpine", False),
        ("alpine:3.*", "alpine:3.20", True),
        ("registry/*:*", "registry/a:1", True),
        ("registry/*:*", "registry/a/b:1", False),
        ("registry/**", "registry/a/b:1", True),
    ],
)
def test_devices_go_by_the_image(pattern: str, image: str, found: bool) -> None:  # noqa: FBT001
    """A missing tag counts as `latest`."""
    settings = f"[docker.services_devices]\n'{pattern}' = ['/dev/kvm']"

    plan = a_plan(some_inputs(settings=settings, services=[a_service(image)]))

    assert ("Devices" in plan.services[0].host) is found


@pytest.mark.parametrize(
    ("value", "init"), [("true", True), ("1", True), ("false", False), ("", False)]
)
def test_the_init_flag(value: str, init: bool) -> None:  # noqa: FBT001
    """gitlab-runner's feature flag gives build container and services an init; dind has its own."""
    inputs = some_inputs(
        values={"FF_USE_INIT_WITH_DOCKER_EXECUTOR": value}, services=[a_service("postgres:16")]
    )
    plan = a_plan(inputs)

    hosts = (plan.build, plan.services[0], plan.helper, dind_of(plan))
    assert ["Init" in each.host for each in hosts] == [init, init, False, False]


def test_the_profile_stands_in_the_place_of_its_path() -> None:
    """Build and helper container and services get the profile's text."""
    settings = "docker.security_opt = ['seccomp=/a', 'no-new-privileges']\n"
    settings += "docker.services_security_opt = ['seccomp=/b']"
    inputs = some_inputs(
        settings=settings,
        services=[a_service("postgres:16")],
    )
    profiles = {"seccomp=/a": "seccomp={1}", "seccomp=/b": "seccomp={2}"}

    plan = a_plan(replace(inputs, seccomp_profiles=profiles))

    assert plan.build.host["SecurityOpt"] == ["seccomp={1}", "no-new-privileges"]
    assert plan.services[0].host["SecurityOpt"] == ["seccomp={2}"]
