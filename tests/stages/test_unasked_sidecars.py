"""A sidecar that no service stands for harms no job: with it or without it, the script runs."""

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

WITHOUT = "WARNING: `docker` is not available in this job, because its Docker-in-Docker sidecar,"
NO_SUCH_IMAGE = "alpine:none-such-tag"


def lint(job: JobCalls) -> str:
    """Run a job that needs no daemon; return what its log says up to the end of the script."""
    said = job.up().output
    call = job.script("echo lint").passed()
    assert call.stdout.endswith("lint\n")
    return said + call.output


CANNOT_BE_HAD: dict[str, tuple[Changes, str]] = {
    "no such tag": ({"dind": {"image": NO_SUCH_IMAGE}}, "failed to pull image"),
    "a registry that is down": (
        {"dind": {"image": "127.0.0.1:1/docker:28-dind"}},
        "connection refused",
    ),
    "a name without a server": (
        {"dind": {"image": "registry.invalid/docker:28-dind"}},
        "failed to pull image",
    ),
    "local images only": (
        {"docker": {"pull_policy": ["never"]}, "dind": {"image": NO_SUCH_IMAGE}},
        "The image is not on this host and the pull policy forbids pulling it",
    ),
    "no such runtime": ({"dind": {"runtime": "none-such", "privileged": True}}, "none-such"),
    "too few files": ({"dind": {"ulimit": {"nofile": "4:4"}}}, "could not start"),
}


@pytest.mark.family(2)
@pytest.mark.parametrize(("changes", "word"), CANNOT_BE_HAD.values(), ids=CANNOT_BE_HAD)
def test_a_sidecar_that_cannot_be_made(
    start: Start, witness: Witness, changes: Changes, word: str
) -> None:
    """The job runs, its log says once that `docker` is not there and why, and `docker` fails fast."""
    local: Changes = {"docker": {"pull_policy": ["if-not-present"], **changes.get("docker", {})}}
    job = start(JobRequest("docker:26.1-cli"), {**changes, **local})
    said = lint(job)
    assert said.count(WITHOUT) == 1
    assert word in said.partition(WITHOUT)[2]
    assert "ERROR" not in said
    kinds = sorted(each.labels["dind-executor.type"] for each in witness.containers(job.id))
    assert kinds == ["build", "helper"]
    call = job.script("docker version", sub_stage="step_release")
    assert call.code == BUILD_FAILURE
    # No name leads anywhere: a client that gets an address waits for minutes.
    assert "lookup docker" in call.output
    job.script("echo after", sub_stage="after_script").passed()


DIES: dict[str, tuple[Changes, str]] = {
    "no daemon": ({"dind": {"image": "alpine"}}, "The dind sidecar exited with code"),
    "a daemon's mistake": (
        {"dind": {"command": ["--no-such-option"]}},
        "dockerd got a wrong argument",
    ),
    "no privileges": (
        {"dind": {"privileged": False, "runtime": "runc"}},
        "lacks privileges that dockerd needs",
    ),
}


@pytest.mark.family(3)
@pytest.mark.parametrize(("changes", "word"), DIES.values(), ids=DIES)
def test_a_sidecar_that_does_not_come_up(
    start: Start, witness: Witness, changes: Changes, word: str
) -> None:
    """The first script runs without it, and no other waits for it again."""
    job = start(JobRequest(), changes)
    said = lint(job)
    assert said.count(WITHOUT) == 1
    assert word in said.partition(WITHOUT)[2]
    assert WITHOUT not in job.script("echo next", sub_stage="step_next").passed().output
    kinds = sorted(each.labels["dind-executor.type"] for each in witness.containers(job.id))
    assert kinds == ["build", "helper"]


def test_a_sidecar_that_never_answers(rig: Rig, start: Start, images: Images) -> None:
    """The script runs when `ready_timeout` is over."""
    name = rig.special("tests/no-daemon:1")
    sleeps = 'ENTRYPOINT ["sh", "-c", "sleep 600"]'
    images.publish(images.variant("alpine", "sleeping", sleeps), name)
    changes: Changes = {"dind": {"image": name, "ready_timeout": 2}}
    job = start(JobRequest(), changes)
    assert "did not answer within 2 seconds (`[dind] ready_timeout`)" in lint(job)


MEANT_FOR_OTHERS = {
    "an old driver": {"DOCKER_DRIVER": "overlay"},
    "a relative directory": {"DOCKER_TLS_CERTDIR": "certs"},
    "no place for files": {"DOCKER_TLS_CERTDIR": "/proc/certs"},
    "a library": {"LD_PRELOAD": "/usr/lib/libfaketime.so.1"},
    "a path": {"PATH": "/opt/tool/bin:/bin:/usr/bin:/usr/local/bin", "HOME": "/nowhere"},
    "an authority": {"SSL_CERT_FILE": "/none/such.pem", "GODEBUG": "nonsense=1"},
    "options": {"DOCKER_OPTS": "--none-such", "DOCKERD_OPTS": "--none-such", "ENV": "/none"},
    "another daemon": {"DOCKER_HOST": "tcp://prod.invalid:2375", "DOCKER_TLS_CERTDIR": "/certs"},
    "the sidecar, and no directory": {
        "DOCKER_HOST": "tcp://docker:2376",
        "DOCKER_TLS_CERTDIR": "c",
    },
}


@pytest.mark.family(3)
@pytest.mark.parametrize("variables", MEANT_FOR_OTHERS.values(), ids=MEANT_FOR_OTHERS)
def test_variables_that_are_meant_for_other_jobs(
    start: Start, witness: Witness, variables: dict[str, str]
) -> None:
    """A job without services runs, and has its sidecar as well."""
    own = [Variable(key, value) for key, value in variables.items()]
    job = start(JobRequest("docker:26.1-cli", variables=own))
    said = lint(job)
    assert "WARNING" not in said
    if "DOCKER_HOST" not in variables:
        call = job.script("unset LD_PRELOAD SSL_CERT_FILE", "docker version -f {{.Server.Os}}")
        assert call.passed().stdout.endswith("linux\n")
    assert "--none-such" not in witness.log(job.id, "dind")


def test_the_control_groups_are_not_mounted_over(start: Start) -> None:
    """systemd and molecule runners bind them into every job."""
    volume = "/sys/fs/cgroup:/sys/fs/cgroup:ro"
    job = start(JobRequest("docker:26.1-cli"), {"docker": {"volumes": [volume]}})
    assert "WARNING" not in lint(job)
    job.script("docker version", sub_stage="step_release").passed()


def test_a_mount_that_hides_dockerd(start: Start) -> None:
    """The job has what the administrator mounts, and runs."""
    job = start(JobRequest(), {"docker": {"volumes": ["/usr/local/bin:/usr/local/bin:ro"]}})
    assert WITHOUT in lint(job)


def test_a_job_that_names_a_sidecar_that_cannot_be_had(start: Start) -> None:
    """Pipelines set DOCKER_HOST for all of their jobs, those without docker among them."""
    variables = [Variable("DOCKER_HOST", "tcp://docker:2376")]
    changes: Changes = {"dind": {"image": NO_SUCH_IMAGE}}
    assert WITHOUT in lint(start(JobRequest(variables=variables), changes))


def test_plain_tcp_that_the_administrator_forbids(start: Start) -> None:
    """A job without a service runs, its log names the variable, and docker works with TLS."""
    variables = [Variable("DOCKER_TLS_CERTDIR", "")]
    changes: Changes = {"dind": {"allow_plain_tcp": False}}
    job = start(JobRequest("docker:26.1-cli", variables=variables), changes)
    assert 'WARNING: The job sets DOCKER_TLS_CERTDIR to ""' in lint(job)
    job.script("docker -H tcp://docker:2375 version && exit 1; docker version").passed()


def test_a_service_beside_a_sidecar_that_cannot_be_had(rig: Rig, start: Start) -> None:
    """It works as ever."""
    services = [{"name": rig.special("tools/web:1"), "alias": "web"}]
    job = start(JobRequest(services=services), {"dind": {"image": NO_SUCH_IMAGE}})
    assert WITHOUT in job.up().output
    assert "a service that is not dind" in job.script("wget -qO- http://web/").passed().output


@pytest.mark.parametrize("lister", ["the job", "the administrator"])
def test_a_job_fails_without_a_service_that_is_listed(rig: Rig, start: Start, lister: str) -> None:
    """Nothing runs that needs a daemon and has none."""
    service = {"name": rig.special("nobody/docker:none-such-dind")}
    own = lister == "the job"
    changes: Changes = {} if own else {"docker": {"services": [service]}}
    job = start(JobRequest(services=[service] if own else []), changes)
    job.config().passed()
    call = job.prepare()
    assert call.code == (BUILD_FAILURE if own else SYSTEM_FAILURE)
    assert "ERROR: " in call.stderr
    assert "failed to pull" in call.stderr
    assert WITHOUT not in call.output
