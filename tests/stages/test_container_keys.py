"""What `[docker]` and `[dind]` give containers, seen on the engine and from inside."""

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest
from docker.errors import NotFound
from docker.models.containers import Container

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

NO_DIND = {"mode": "service"}
MAC = "02:42:ac:15:00:99"
MIB = 1 << 20


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a seccomp profile that forbids to change a host name."""
    path = tmp_path_factory.mktemp("seccomp") / "profile.json"
    rule = {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    return str(path)


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start, profile: str) -> JobCalls:
    """Return a job on a runner that sets many keys."""
    docker = {
        "hostname": "builder",
        "memory": "512m",
        "memory_swap": "640m",
        "memory_reservation": "128m",
        "cpus": "1/2",
        "cpu_shares": 512,
        "pids_limit": 300,
        "cpuset_cpus": "0",
        "cpuset_mems": "0",
        "cgroup_parent": "/dind-executor-tests",
        "oom_kill_disable": True,
        "oom_score_adjust": 500,
        "shm_size": 32 * MIB,
        "ulimit": {"nofile": "1000:2000"},
        "group_add": ["1234"],
        "cap_add": ["NET_ADMIN"],
        "cap_drop": ["MKNOD"],
        "security_opt": [f"seccomp={profile}"],
        "devices": ["/dev/null:/dev/other-null:rw"],
        "device_cgroup_rules": ["c 1:3 rw"],
        "tmpfs": {"/scratch": "rw,size=1m"},
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        "ipcmode": "private",
        "userns_mode": "host",
        "mac_address": MAC,
        "container_labels": {"com.example.team": "$TEAM"},
        "log_options": {"labels": "com.example.team"},
        "service_memory": "64m",
        "service_memory_swap": "-1",
        "service_cpus": "0.25",
        "service_cpu_shares": 256,
        "service_pids_limit": 200,
        "service_cpuset_cpus": "0-1",
        "services_tmpfs": {"/scratch": "rw,size=1m"},
        "services_security_opt": ["no-new-privileges"],
        "services_devices": {"**/tools/web:*": ["/dev/null:/dev/service-null:rw"]},
    }
    dind = {"memory": "2g", "cpus": "2", "pids_limit": 5000, "ulimit": {"nofile": "4096"}}
    request = JobRequest(
        services=[{"name": rig.special("tools/web:1"), "alias": "web"}, {"name": "docker:dind"}],
        variables=[
            Variable("TEAM", "blue"),
            Variable("FF_USE_INIT_WITH_DOCKER_EXECUTOR", "true"),
        ],
    )
    job = start_standing(request, {"docker": docker, "dind": dind})
    job.up()
    return job


def hosts(job: JobCalls, witness: Witness) -> dict[str, Mapping[str, object]]:
    """Return what the engine says each kind of container may use."""
    return {
        each.labels["dind-executor.type"]: each.attrs["HostConfig"]
        for each in witness.containers(job.id)
    }


def inside(job: JobCalls, *commands: str) -> list[str]:
    """Return what commands of the author's print, without gitlab-runner's lines."""
    lines = job.script(*commands).passed().output.splitlines()
    return [line for line in lines if not line.startswith("$ ")]


def test_limits_of_build_and_helper(job: JobCalls, witness: Witness) -> None:
    """The engine holds both containers to the limits."""
    for kind in ("build", "helper"):
        host = hosts(job, witness)[kind]
        assert host["Memory"] == 512 * MIB
        assert host["MemorySwap"] == 640 * MIB
        assert host["MemoryReservation"] == 128 * MIB
        assert (host["NanoCpus"], host["CpuShares"], host["CpusetCpus"]) == (5 * 10**8, 512, "0")
        assert (host["CpusetMems"], host["PidsLimit"]) == ("0", 300)
        # A kernel with cgroup v2 alone has no such thing, and the engine leaves it out.
        assert bool(host["OomKillDisable"]) is witness.client.info()["OomKillDisable"]
        assert (host["CgroupParent"], host["OomScoreAdj"]) == ("/dind-executor-tests", 500)
        assert (host["ShmSize"], host["IpcMode"]) == (32 * MIB, "private")
        assert (host["UsernsMode"], host["GroupAdd"]) == ("host", ["1234"])
        assert host["CapAdd"] in (["NET_ADMIN"], ["CAP_NET_ADMIN"])
        assert host["CapDrop"] in (["MKNOD"], ["CAP_MKNOD"])
        assert host["DeviceCgroupRules"] == ["c 1:3 rw"]
        assert host["Privileged"] is False
        assert host["LogConfig"] == {"Type": "none", "Config": {}}


def test_limits_of_services(job: JobCalls, witness: Witness) -> None:
    """The engine holds services to the `service_*` keys."""
    host = hosts(job, witness)["service"]

    assert (host["Memory"], host["MemorySwap"]) == (64 * MIB, -1)
    assert (host["NanoCpus"], host["CpuShares"]) == (25 * 10**7, 256)
    assert host["PidsLimit"] == 200
    assert (host["CpusetCpus"], host["ShmSize"]) == ("0-1", 32 * MIB)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Tmpfs"] == {"/scratch": "rw,size=1m"}
    assert host["Init"] is True
    assert host["Privileged"] is False


def test_limits_of_the_sidecar(job: JobCalls, witness: Witness) -> None:
    """`[dind]` goes before the services' keys, and no build in the sidecar escapes the limits."""
    host = hosts(job, witness)["dind"]

    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (2048 * MIB, -1, 2 * 10**9)
    assert (host["CpuShares"], host["PidsLimit"]) == (256, 5000)
    assert host["Ulimits"] == [{"Name": "nofile", "Hard": 4096, "Soft": 4096}]
    assert host["Privileged"] is True
    assert inside(job, "echo the sidecar is ready") == ["the sidecar is ready"]
    dind = witness.container(job.id, "dind")
    command = ("unset DOCKER_HOST DOCKER_TLS_VERIFY", "docker run --rm alpine echo built")
    assert witness.inside(dind, "sh", "-c", "; ".join(command)).endswith("built\n")


def test_labels_and_log_options(job: JobCalls, witness: Witness) -> None:
    """Every container has the labels; kept logs have the options."""
    containers = witness.containers(job.id)

    assert {each.labels["com.example.team"] for each in containers} == {"blue"}
    for kind in ("service", "dind"):
        log = hosts(job, witness)[kind]["LogConfig"]
        assert isinstance(log, dict)
        assert log["Config"]["labels"] == "com.example.team"


def test_what_a_script_sees(job: JobCalls) -> None:
    """The script finds its limits, groups, devices and mounts."""
    lines = inside(
        job,
        "hostname",
        "ulimit -Sn; ulimit -Hn",
        "id -G",
        "echo kept >/dev/other-null && echo written",
        "df -k /scratch | tail -n 1 | awk '{print $2, $6}'",
        "df -k /dev/shm | tail -n 1 | awk '{print $2}'",
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
        "cat /sys/class/net/eth0/address",
    )

    assert lines[:3] == ["builder", "1000", "2000"]
    assert "1234" in lines[3].split()
    assert lines[4:] == ["written", "1024 /scratch", "32768", "0", MAC]


def test_a_script_that_starts_processes_without_end(job: JobCalls) -> None:
    """It comes to its own limit, and not to the host's; the next script begins as ever."""
    starts = "(for each in $(seq 400); do sleep 300 >/dev/null 2>&1 & done) 2>&1 || echo refused"

    lines = inside(job, starts)

    assert "fork" in lines[0]
    assert lines[-1] == "refused"
    assert inside(job, "echo on it goes") == ["on it goes"]


def test_the_seccomp_profile_of_the_runner_host(job: JobCalls) -> None:
    """Its content went to the engine, which holds the script to it."""
    lines = inside(job, "hostname other 2>&1 || echo refused")

    assert lines[-1] == "refused"


def test_the_helper_works_all_the_same(job: JobCalls) -> None:
    """The helper does its work under the same limits."""
    assert job.script("ulimit -Sn", sub_stage="get_sources").passed().output.endswith("1000\n")


def test_an_init_is_the_first_process(job: JobCalls, witness: Witness) -> None:
    """gitlab-runner's feature flag puts an init into the build container, not into the helper."""
    for kind, found in (("build", True), ("helper", False)):
        first = witness.inside(witness.container(job.id, kind), "cat", "/proc/1/cmdline")
        assert ("docker-init" in first) is found


def test_devices_of_a_service(job: JobCalls, witness: Witness) -> None:
    """A service whose image matches the pattern gets the device."""
    service = witness.container(job.id, "service")

    assert (
        witness.inside(service, "sh", "-c", "ls /dev/service-null").strip() == "/dev/service-null"
    )


@pytest.fixture
def companion(witness: Witness) -> Iterator[Container]:
    """Return a container of somebody else's that goes on."""
    # Not by `containers.run`, which asks for a bind without a source: Docker 29 gives such a volume
    # no name, and no other container can mount it.
    made = witness.client.api.create_container("alpine", ["sleep", "600"], volumes=["/shared"])
    witness.client.api.start(made["Id"])
    container = witness.client.containers.get(made["Id"])
    yield container
    with suppress(NotFound):
        container.remove(force=True, v=True)


def test_processes_of_others_are_left_alone(
    rig: Rig, start: Start, witness: Witness, companion: Container
) -> None:
    """With a shared PID namespace, what a script leaves behind goes, and nothing else does.

    Not even when a script has changed what the keeper noted of the processes.
    """
    docker: dict[str, object] = {"pid_mode": f"container:{companion.id}", "privileged": True}
    docker |= {"runtime": rig.runtime} if rig.runtime else {}
    job = start(JobRequest(), {"docker": docker, "dind": NO_DIND})
    job.up()
    companion.exec_run(["sleep", "601"], detach=True)
    build = witness.container(job.id, "build")

    listed = inside(job, "sleep 602 & sleep 0.2; ps | grep -o 'sleep 60[0-9]' | sort -u")

    assert listed == ["sleep 600", "sleep 601", "sleep 602"]
    left = inside(job, "ps | grep -o 'sleep 60[0-9]' | sort -u")
    assert left == ["sleep 600", "sleep 601"]
    forged = "echo >/run/dind-executor/processes"
    going = job.start_run("build_script", job.authors(forged, "echo going", "sleep 603"))
    going.wait_for("going\n")
    going.signal(signal.SIGTERM)
    assert going.finish().code != 0
    assert sorted(re.findall("sleep 60[0-9]", witness.inside(companion, "ps"))) == [
        "sleep 600",
        "sleep 601",
    ]
    host = build.attrs["HostConfig"]
    assert (host["Privileged"], host["PidMode"]) == (True, docker["pid_mode"])
    assert hosts(job, witness)["helper"]["Privileged"] is False
    assert hosts(job, witness)["helper"]["PidMode"] == ""


def test_volumes_of_another_container(start: Start, witness: Witness, companion: Container) -> None:
    """Build and helper mount them; they are there after the job, as it left them."""
    job = start(JobRequest(), {"docker": {"volumes_from": [companion.name]}, "dind": NO_DIND})
    job.up()

    job.script("echo fetched >/shared/fetched", sub_stage="get_sources").passed()
    assert inside(job, "cat /shared/fetched", "echo built >/shared/built") == ["fetched"]
    job.cleanup().passed()
    assert witness.inside(companion, "cat", "/shared/built") == "built\n"


def test_a_build_container_without_capabilities(rig: Rig, start: Start) -> None:
    """Jobs work without any; the image's user is another one."""
    request = JobRequest(image=rig.special("tools/other-user:1"))
    job = start(request, {"docker": {"cap_drop": ["ALL"]}, "dind": NO_DIND})
    job.up()

    job.script("echo x >source.txt", sub_stage="get_sources").passed()
    lines = inside(job, "cat source.txt", "grep CapBnd /proc/self/status", "echo y >built.txt")
    assert lines == ["x", "CapBnd:\t0000000000000000"]
    assert job.script("exit 3").code == 1
    assert job.exit_code == "3"


@pytest.mark.parametrize(
    ("docker", "sentence"),
    [
        (
            {"security_opt": ["seccomp=/nowhere/profile.json"]},
            "The seccomp profile /nowhere/profile.json",
        ),
        ({"cpus": "9999"}, "ange of CPUs is from"),
    ],
)
def test_what_the_host_does_not_have(
    start: Start, docker: dict[str, object], sentence: str
) -> None:
    """The message tells the administrator what the host lacks."""
    job = start(JobRequest(), {"docker": docker, "dind": NO_DIND})
    job.config().passed()

    assert_error(job.prepare(), SYSTEM_FAILURE, sentence, "`[docker]`")
