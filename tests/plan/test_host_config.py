"""What containers may use of the host: how administrators write it, and which container gets it."""

from dataclasses import replace

import pytest

from executor.engine.container_request import container_request
from executor.errors import SettingsError
from executor.notation import amounts as units
from executor.settings.file import read_settings
from executor.shell import DIRECTORY
from executor.spec import ContainerSpec, ImageFacts, Plan
from tests import container_keys
from tests.builders import a_service, a_variable, some_inputs, some_settings
from tests.plans import a_plan

GIB = 1 << 30


def everything(**changes: object) -> Plan:
    """Return the plan of a job with two services, with every key set."""
    settings = f"[docker]\n{container_keys.DOCKER}\n[dind]\n{container_keys.DIND}"
    inputs = some_inputs(
        settings=settings,
        services=[a_service("postgres:16"), a_service("tools/web")],
        variables=[a_variable("TEAM", "blue")],
        **changes,  # type: ignore[arg-type]
    )
    return a_plan(inputs)


def dind_of(plan: Plan) -> ContainerSpec:
    """Return the sidecar, which is there."""
    assert plan.dind
    return plan.dind


# --- what is wrong with it --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("memory = '1x'", "memory: '1x' must look like 512m or 1.5g"),
        ("memory = '-1'", "memory: '-1' must look like 512m or 1.5g"),
        ("memory_swap = '-2'", "memory_swap: '-2' must look like 512m or 1.5g"),
        ("memory_reservation = 'm'", "memory_reservation: 'm' must look like 512m or 1.5g"),
        ("service_memory = '1..5'", "service_memory: '1..5' must look like 512m or 1.5g"),
        ("cpus = 'two'", "cpus: 'two' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '1/0'", "cpus: '1/0' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '.'", "cpus: '.' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '-1'", "cpus: '-1' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '1e999'", "cpus: '1e999' must be a number of CPUs such as 0.5 or 1/3"),
        ("service_cpus = '1/2/3'", "service_cpus: '1/2/3' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpuset_cpus = '0-'", "cpuset_cpus: '0-' must look like 0-3 or 0,2"),
        ("cpuset_mems = 'a'", "cpuset_mems: 'a' must look like 0-3 or 0,2"),
        ("cpu_shares = -1", "cpu_shares: -1 is too small: the least is 0"),
        ("oom_score_adjust = 1001", "oom_score_adjust: 1001 is too large: the most is 1000"),
        ("cgroup_parent = '../x'", "cgroup_parent: '../x' must look like /jobs or jobs.slice"),
        ("ulimit = { nofile = 'a' }", "ulimit.nofile: 'a' must look like 1024 or 1024:4096 (soft:hard)"),
        ("ulimit = { nofile = '2:1' }", "ulimit.nofile: '2:1' has a soft limit above its hard limit"),
        ("ulimit = { files = '1' }", f"ulimit.files: not one of: {', '.join(units.ULIMITS)}"),
        ("hostname = 'a_b'", "hostname: 'a_b' is not a host name of at most 63 characters"),
        ("runtime = 'a b'", "runtime: 'a b' must be the name of a runtime in the engine's configuration"),
        ("group_add = ['a b']", "group_add[0]: 'a b' must be a group's name or number"),
        ("userns_mode = 'private'", "userns_mode: 'private' is not one of: , host"),
        ("cap_add = ['NET-ADMIN']", "cap_add[0]: 'NET-ADMIN' must look like NET_ADMIN, or be ALL"),
        ("cap_drop = ['']", "cap_drop[0]: '' must look like NET_ADMIN, or be ALL"),
        (
            "security_opt = ['seccomp=profile.json']",
            (
                "security_opt[0]: 'seccomp=profile.json' must name a profile by an absolute path,"
                " or be seccomp=unconfined or seccomp=builtin"
            ),
        ),
        (
            "services_security_opt = ['apparmour=x']",
            (
                "services_security_opt[0]: 'apparmour=x' must look like name=value, with one of the"
                " names apparmor, label, no-new-privileges, seccomp"
            ),
        ),
        ("security_opt = ['label']", "security_opt[0]: 'label' must look like label=value"),
        ("devices = ['kvm']", "devices[0]: 'kvm' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm"),
        (
            "devices = ['/dev/a:/dev/b:rx']",
            "devices[0]: '/dev/a:/dev/b:rx' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm",
        ),
        (
            "services_devices = { 'a[' = ['/dev/a'] }",
            "services_devices.\"a[\": 'a[' is not a pattern: a [, { or \\ is left open, or it is empty",
        ),
        (
            "services_devices = { a = ['b'] }",
            "services_devices.a[0]: 'b' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm",
        ),
        ("device_cgroup_rules = ['c']", "device_cgroup_rules[0]: 'c' must look like 'c 10:232 rwm'"),
        ("gpus = 'some'", "gpus: 'some' must look like all, 2 or device=0"),
        ("gpus = 'a=b'", "gpus: 'a=b' has the key 'a' twice, or it is no key of --gpus"),
        ("service_gpus = '\"a'", "service_gpus: '\"a' has quotes that do not match"),
        ("sysctls = { 'a b' = '1' }", 'sysctls."a b": it must look like net.core.somaxconn'),
        ("volumes_from = ['a:rx']", "volumes_from[0]: 'a:rx' must look like container or container:ro"),
        ("pid_mode = 'service'", "pid_mode: 'service' must be one of: host, container:<name>"),
        (
            "ipcmode = 'x'",
            "ipcmode: 'x' must be one of: none, private, shareable, host, container:<name>",
        ),
        ("mac_address = '1:2'", "mac_address: '1:2' must look like 02:42:ac:11:00:02"),
        (
            "mac_address = '01:42:ac:11:00:02'",
            "mac_address: '01:42:ac:11:00:02' is a multicast address",
        ),
        ("tmpfs = { '/' = '' }", 'tmpfs."/": it must be an absolute path in the container, and not /'),
        (
            "services_tmpfs = { 'a' = '' }",
            "services_tmpfs.a: it must be an absolute path in the container, and not /",
        ),
        (
            "tmpfs = { '/builds/' = '' }",
            'tmpfs."/builds/": this is the builds directory, which several containers share',
        ),
        (
            "tmpfs = { '/cache' = '' }",
            'tmpfs."/cache": this is the cache directory, which several containers share',
        ),
        (
            "tmpfs = { '/run/dind-executor/x' = '' }",
            (
                "tmpfs.\"/run/dind-executor/x\": this is the executor's own directory, which"
                " several containers share"
            ),
        ),
        (
            "tmpfs = { '/models' = '' }\nvolumes = ['models:/models/']",
            'tmpfs."/models": this is a volume by `volumes`, which several containers share',
        ),
        (
            "container_labels = { 'dind-executor.job' = 'x' }",
            (
                'container_labels."dind-executor.job": labels that start with dind-executor. are'
                " the executor's own"
            ),
        ),
        (
            "log_options = { max-size = '1g' }",
            "log_options.max-size: only env and labels are allowed",
        ),
        (
            "runtime = 'sysbox-runc'\nprivileged = true",
            "privileged: the runtime sysbox-runc refuses privileged containers; set it to false",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told(text: str, mistake: str) -> None:
    """Before any job: one sentence for each, with the key."""
    with pytest.raises(SettingsError) as caught:
        some_settings(f"[docker]\n{text}")

    assert (
        str(caught.value) == f"the settings file settings.toml has a mistake:\n  docker.{mistake}"
    )


@pytest.mark.parametrize("key", ["links", "isolation", "service_slot_cgroup_template"])
def test_a_key_that_cannot_be_here_says_why(key: str) -> None:
    """Instead of `unknown key`."""
    with pytest.raises(SettingsError, match=rf"docker\.{key}: .{{30}}"):
        read_settings(f"[docker]\n{key} = ''", "settings.toml")


def test_a_tmpfs_may_lie_around_ours() -> None:
    """Systemd in a container wants one on /run."""
    assert some_settings("docker.tmpfs = { '/run' = 'rw' }").docker.containers.tmpfs == {
        "/run": "rw"
    }


# --- who gets it ------------------------------------------------------------------------------

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
}
SIDECAR = ALL_SERVICES | {
    "Privileged": True,
    "Memory": 2 * GIB,
    "MemorySwap": 4 * GIB,
    "MemoryReservation": GIB,
    "CgroupParent": "/dind",
    "CpusetCpus": "1",
    "NanoCpus": 2 * 10**9,
    "CpuShares": 2048,
    "Ulimits": [{"Name": "nofile", "Soft": 65536, "Hard": 65536}],
    "Sysctls": {"net.ipv4.ip_forward": "1"},
}


def test_the_build_container_gets_its_keys() -> None:
    """It alone may be privileged by `privileged`, and see other processes."""
    assert everything().build.host == JOB_CONTAINERS | {"Privileged": True, "PidMode": "host"}


def test_the_helper_gets_the_keys_of_the_build_container() -> None:
    """But for privileges, which it does not need."""
    assert everything().helper.host == JOB_CONTAINERS


def test_services_get_their_keys() -> None:
    """Of the allowed ones alone are privileged; devices go by the image."""
    postgres, web = everything().services

    device = {"PathOnHost": "/dev/null", "PathInContainer": "/dev/service-null"}
    assert postgres.host == SERVICES | {"Privileged": True}
    assert web.host == SERVICES | {"Devices": [{**device, "CgroupPermissions": "r"}]}


def test_the_sidecar_gets_its_keys() -> None:
    """Its own go first."""
    assert dind_of(everything()).host == SIDECAR


def test_the_sidecar_is_a_service() -> None:
    """What `[dind]` does not say, the keys of services say; a limit never goes around it."""
    plan = a_plan(some_inputs(settings=f"[docker]\n{container_keys.DOCKER}"))

    limits = {key: value for key, value in SERVICES.items() if key != "Runtime"}
    assert dind_of(plan).host == limits | {"Privileged": True}


def test_without_keys_the_engine_decides() -> None:
    """But for the sidecar's privileges."""
    plan = a_plan(some_inputs(services=[a_service("postgres:16")]))

    hosts = [each.host for each in (plan.build, plan.helper, *plan.services)]
    assert hosts == [{}, {}, {}]
    assert dind_of(plan).host == {"Privileged": True}


def test_tmpfs_beside_ours() -> None:
    """Each place once: what the executor mounts itself stays."""
    plan = everything()

    ours = {DIRECTORY}
    assert set(plan.helper.tmpfs) == {"/scratch"} | ours
    assert set(plan.build.tmpfs) == {"/scratch", "/certs/client"} | ours
    assert set(plan.services[0].tmpfs) == {"/scratch", "/var/lib/docker"}
    assert set(dind_of(plan).tmpfs) == {"/scratch", "/certs"} | ours


def test_a_tmpfs_gives_way_to_a_volume() -> None:
    """Where the job's variables decide on the place, it is seen only then."""
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


def test_the_hostname() -> None:
    """Of build and helper container."""
    plan = everything()

    assert (plan.build.hostname, plan.helper.hostname) == ("builder", "builder")
    assert {each.hostname for each in (*plan.services, dind_of(plan))} == {""}


@pytest.mark.parametrize(
    ("settings", "image", "privileged"),
    [
        ("", "ruby:3", False),
        ("privileged = true", "ruby:3", True),
        ("privileged = true\nallowed_privileged_images = ['ruby:*']", "ruby:3", True),
        ("privileged = true\nallowed_privileged_images = ['ruby:*']", "perl:5", False),
        ("privileged = true\nallowed_privileged_images = ['**', '!perl:*']", "perl:5", False),
        ("allowed_privileged_images = ['ruby:*']", "ruby:3", False),
        ("image = 'ruby:3'\nprivileged = true\nallowed_privileged_images = ['ruby:*']", "", True),
        ("services_privileged = true", "ruby:3", False),
    ],
)
def test_privileged_build_containers(settings: str, image: str, privileged: bool) -> None:  # noqa: FBT001
    """By `privileged` and the patterns over the image's name; the helper never is."""
    plan = a_plan(some_inputs(settings=f"[docker]\n{settings}", image=a_service(image)))

    assert plan.build.privileged is privileged
    assert not plan.helper.privileged


@pytest.mark.parametrize(
    ("name", "privileged"),
    [("corp/builder$TO", False), ("corp/builder-$LAST", True), ("$EVIL", False)],
)
def test_a_name_with_variables_is_judged_by_what_it_becomes(name: str, *, privileged: bool) -> None:
    """The patterns see the image that runs."""
    variables = [
        a_variable("TO", "-evil/image"),
        a_variable("LAST", "go:1"),
        a_variable("EVIL", "perl:5"),
    ]
    settings = "[docker]\nprivileged = true\nallowed_privileged_images = ['corp/*', '!perl:*']"
    plan = a_plan(some_inputs(settings=settings, image=a_service(name), variables=variables))

    assert plan.build.privileged is privileged


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
    """It needs no privileges, and gives none."""
    plan = a_plan(some_inputs(settings=f"[docker]\n{settings}"))

    assert (plan.build.host, plan.helper.host) == (host, {})


@pytest.mark.parametrize(
    ("settings", "privileged"),
    [
        ("", False),
        ("privileged = true", True),
        ("privileged = true\nservices_privileged = false", False),
        ("services_privileged = true", True),
        ("services_privileged = true\nallowed_privileged_services = ['postgres:*']", True),
        ("services_privileged = true\nallowed_privileged_services = ['mysql:*']", False),
        (
            "services_privileged = true\nallowed_privileged_services = ['**', '!postgres:*']",
            False,
        ),
        ("privileged = true\nallowed_privileged_services = ['mysql:*']", False),
        ("privileged = true\nallowed_privileged_images = ['mysql:*']", True),
    ],
)
def test_privileged_services(settings: str, privileged: bool) -> None:  # noqa: FBT001
    """By `services_privileged`, else `privileged`, and the patterns; the sidecar has its own key."""
    inputs = some_inputs(settings=f"[docker]\n{settings}", services=[a_service("postgres:16")])

    plan = a_plan(inputs)

    assert plan.services[0].privileged is privileged
    assert dind_of(plan).privileged


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


# --- labels, logs, addresses, profiles ----------------------------------------------------------


def test_labels_of_containers() -> None:
    """Expanded, on every container and nothing else; services have them twice, as ever."""
    plan = everything()

    name = "com.example.team"
    services = (*plan.services, dind_of(plan))
    containers = (plan.build, plan.helper, *services)
    assert {each.labels[name] for each in containers} == {"blue"}
    again = f"com.gitlab.gitlab-runner.{name}"
    assert {each.labels.get(again) for each in services} == {"blue"}
    assert {each.labels.get(again) for each in (plan.build, plan.helper)} == {None}
    assert name not in plan.network.labels


def test_a_label_never_takes_the_place_of_ours() -> None:
    """By them tools and cleanup know what is whose."""
    settings = "docker.container_labels = { 'com.gitlab.gitlab-runner.job.id' = '1' }"

    plan = a_plan(some_inputs(settings=settings))

    assert plan.build.labels["com.gitlab.gitlab-runner.job.id"] == "4711"


def test_a_label_with_a_secret_is_left_out() -> None:
    """Everyone who may talk to the engine reads labels."""
    inputs = some_inputs(
        settings="docker.container_labels = { a = 'x-$KEY', b = '$TEAM' }",
        variables=[
            a_variable("KEY", "a-secret-key", public=False, masked=True),
            a_variable("TEAM", "blue"),
        ],
    )

    plan = a_plan(inputs)

    assert "a" not in plan.build.labels
    assert plan.build.labels["b"] == "blue"
    assert plan.notices == (
        'WARNING: The label "a" is left out because its value holds a secret of the job.',
    )


def test_log_options() -> None:
    """For the logs that the engine keeps; it keeps none of scripts."""
    plan = everything()

    facts = ImageFacts("sha256:0")
    configs = [
        container_request(each, facts)["HostConfig"]["LogConfig"]  # type: ignore[index]
        for each in (plan.build, plan.helper, plan.services[0], dind_of(plan))
    ]
    kept = {
        "Type": "json-file",
        "Config": {"max-size": "10m", "max-file": "2", "labels": "com.example.team", "env": "TEAM"},
    }
    assert configs == [{"Type": "none"}, {"Type": "none"}, kept, kept]


@pytest.mark.parametrize(
    ("api", "of_endpoint"), [((1, 41), False), ((1, 43), False), ((1, 44), True)]
)
def test_the_mac_address(api: tuple[int, ...], of_endpoint: bool) -> None:  # noqa: FBT001
    """The build container's alone, as two on a network may not share one; old engines do it too."""
    plan = everything()

    inputs = container_request(plan.build, ImageFacts("sha256:0"), api)
    endpoints = inputs["NetworkingConfig"]["EndpointsConfig"]  # type: ignore[index]
    places = [inputs, endpoints[plan.network.name]]
    assert ["MacAddress" in each for each in places] == [not of_endpoint, of_endpoint]
    assert {each.mac_address for each in (plan.helper, *plan.services, dind_of(plan))} == {""}


def test_the_profile_stands_in_the_place_of_its_path() -> None:
    """For build and helper container, and for services."""
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
