"""What administrator and job author may choose about a job's containers, and how it shows on the engine."""

import json
import signal

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, IMPATIENT_RUN, SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

NO_DIND: Changes = {"dind": {"mode": "service"}}


def test_the_operators_network_and_dockerd(rig: Rig, start: Start, witness: Witness) -> None:
    """Hosts, name servers and MTU are every container's; dockerd gets all arguments in order."""
    changes: Changes = {
        "docker": {
            "extra_hosts": ["gitlab.corp.example:10.1.2.3"],
            "dns": ["10.9.8.7"],
            "dns_search": ["corp.example"],
            "network_mtu": 1400,
        },
        "dind": {
            "command": ["--label=operator=first"],
            "insecure_registries": ["registry.corp.example:5000"],
        },
    }
    services: list[dict[str, object]] = [
        {"name": "docker:26.1-dind", "command": ["--label=author=last"]},
        {"name": rig.special("tools/web:1")},
    ]
    job = start(JobRequest(rig.special("tools/docker-cli:1"), services=services), changes)
    job.up()
    assert len(witness.containers(job.id)) == 4
    for container in witness.containers(job.id):
        host = container.attrs["HostConfig"]
        assert host["ExtraHosts"] == ["gitlab.corp.example:10.1.2.3"]
        assert (host["Dns"], host["DnsSearch"]) == (["10.9.8.7"], ["corp.example"])
    (name,) = witness.container(job.id, "dind").attrs["NetworkSettings"]["Networks"]
    options = witness.client.networks.get(name).attrs["Options"]
    assert options["com.docker.network.driver.mtu"] == "1400"
    call = job.script(
        "docker info -f '{{json .}}'",
        "docker network inspect bridge -f '{{json .Options}}'",
        "getent hosts gitlab.corp.example",
        "grep ^search /etc/resolv.conf",
    ).passed()
    lines = [line for line in call.stdout.splitlines() if not line.startswith("$ ")]
    info = json.loads(lines[0])
    # dockerd tells its labels in any order.
    assert sorted(info["Labels"]) == ["author=last", "operator=first"]
    read = "for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$each; echo; done 2>/dev/null"
    _, processes = witness.container(job.id, "dind").exec_run(["sh", "-c", read])
    assert isinstance(processes, bytes)
    commands = processes.decode().splitlines()
    labels = [[word for word in each.split() if "--label=" in word] for each in commands]
    assert ["--label=operator=first", "--label=author=last"] in labels
    assert "registry.corp.example:5000" in info["RegistryConfig"]["IndexConfigs"]
    assert json.loads(lines[1])["com.docker.network.driver.mtu"] == "1400"
    assert lines[2].split() == ["10.1.2.3", "gitlab.corp.example"]
    assert lines[3] == "search corp.example"


def test_a_job_without_an_image_gets_the_operators(start: Start) -> None:
    """The image's name may hold the job's variables, and the job log says which image it is."""
    request = JobRequest("", variables=[Variable("FLAVOUR", "busybox")])
    job = start(request, {**NO_DIND, "docker": {"image": "$FLAVOUR:latest"}})
    said = job.up().output
    assert "Using default image\n" in said
    assert "Pulling docker image busybox:latest ...\n" in said


def test_the_operator_limits_services(rig: Rig, start: Start) -> None:
    """The job's services count, and the message has gitlab-runner's words."""
    request = JobRequest(services=[{"name": rig.special("tools/web:1")}] * 2)
    job = start(request, {**NO_DIND, "docker": {"services_limit": 1}})
    job.config().passed()
    call = job.prepare()
    assert call.code == BUILD_FAILURE
    assert "ERROR: too many services requested: 2, only 1 allowed." in call.stderr


@pytest.mark.parametrize("way", ["image", "job"])
def test_a_user_other_than_root(rig: Rig, start: Start, way: str) -> None:
    """The image's or the job's user writes in the project and has docker's files of its own."""
    options = {"executor_opts": {"docker": {"user": "1000:1000", "platform": ""}}}
    request = (
        JobRequest(rig.special("tools/other-user:1"))
        if way == "image"
        else JobRequest(rig.special("tools/docker-cli:1"), image_options=options)
    )
    job = start(request)
    job.up()
    commands = [
        "id -u",
        "echo mine >made-by-the-author && cat made-by-the-author source.txt",
        "touch context/in-a-directory-of-the-helper",
        'cd "${DOCKER_CONFIG:-$HOME/.docker}/" && stat -c %a . && touch mine',
        "head -c 10 /certs/client/key.pem",
    ]
    if way == "job":
        commands.append("docker version >/dev/null && echo docker answers")
    call = job.script(*commands).passed()
    lines = [line for line in call.stdout.splitlines() if not line.startswith("$ ")]
    assert lines[:4] == ["1000", "mine", "from the helper", "700"]
    assert call.stdout.endswith("docker answers\n") == (way == "job")


def test_a_platform_is_asked_for(start: Start) -> None:
    """The log shows the engine's own platform as the job wrote it."""
    options = {"executor_opts": {"docker": {"user": "", "platform": "linux/amd64"}}}
    job = start(JobRequest("alpine", image_options=options), NO_DIND)
    said = job.up().output
    assert "Pulling docker image alpine:latest for platform linux/amd64 ...\n" in said


def test_a_log_that_cannot_be_written_fails_nothing(start: Start) -> None:
    """The job log says once that the administrator's log cannot be written."""
    job = start(JobRequest(), {**NO_DIND, "log": {"path": "/nowhere/at/all.log"}})
    job.up()
    job.script("true").passed()
    warned = [call.stage for call in job.calls if "administrator's log" in call.output]
    assert warned == ["prepare"]


@pytest.mark.parametrize("image", ["alpine", "debian:bookworm"])
def test_scripts_under_either_shell(start: Start, witness: Witness, image: str) -> None:
    """Under ash and bash, long scripts come whole, statuses are kept and a cancel arrives."""
    job = start(JobRequest(image), NO_DIND)
    job.up()
    filler = "# " + "x" * 998 + "\n"
    call = job.script(filler * 400 + "echo whole").passed()
    assert call.stdout.endswith("whole\n")
    assert (job.script("exit 42").code, job.exit_code) == (BUILD_FAILURE, "42")
    running = job.start_run(
        "build_script", job.authors("trap 'echo last words; exit 1' TERM", "echo on", "sleep 4471")
    )
    running.wait_for("on\n")
    running.signal(signal.SIGTERM)
    assert running.finish().stdout.endswith("last words\n")
    assert witness.containers(job.id, "build") == []
    job.script("echo after", sub_stage="after_script").passed()


def test_a_killed_run_does_not_keep_the_next_from_running(start: Start) -> None:
    """What a killed call left running is ended after a while, made short here."""
    job = start(JobRequest(), NO_DIND)
    job.up()
    running = job.start_run("build_script", job.authors("echo started", "sleep 4481"))
    running.wait_for("started\n")
    running.signal(signal.SIGKILL)
    assert running.finish().code == -signal.SIGKILL
    path = job.temp / "after_script"
    path.write_text(job.authors("echo after"), encoding="utf-8")
    call = job.start("run", str(path), "after_script", program=IMPATIENT_RUN).finish()
    assert call.passed().stdout.endswith("after\n")


def test_run_arguments_that_are_missing(start: Start) -> None:
    """A call that is not gitlab-runner's is told which arguments it lacks."""
    job = start(JobRequest(), NO_DIND)
    job.config().passed()
    call = job.call("run", "/nowhere/script", "build_script")
    assert call.code == SYSTEM_FAILURE
    assert "gitlab-runner's script /nowhere/script cannot be read" in call.stderr
