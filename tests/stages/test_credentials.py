"""Which login a pull is made with, and that none of them lets a job choose programs on the host."""

import json
import os
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, Call, JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images, tag_of
from tests.stages.request import JobRequest, Login, Variable, auths

NO_DIND: Changes = {"dind": {"mode": "service"}}
SOURCE = "Authenticating with credentials from "


@pytest.fixture(scope="session")
def private(rig: Rig, images: Images) -> str:
    """Return a small image in the GitLab registry, which gives it to nobody without a login."""
    name = f"{rig.gitlab}/group/tests/private:1"
    images.publish(images.variant("alpine", "private"), name, rig.ci_user)
    return name


def prepare(job: JobCalls) -> Call:
    """Call config and prepare."""
    job.config().passed()
    return job.prepare()


def give_home(job: JobCalls, config: str) -> None:
    """Write the docker configuration of the runner's user."""
    (job.home / ".docker").mkdir()
    (job.home / ".docker" / "config.json").write_text(config, encoding="utf-8")


def give_program(job: JobCalls, name: str, text: str) -> Path:
    """Put a program on the runner's PATH; return a file that it may write to."""
    directory = job.home / "bin"
    directory.mkdir(exist_ok=True)
    program, trace = directory / name, directory / f"{name}.trace"
    program.write_text(text.replace("@TRACE@", str(trace)), encoding="utf-8")
    program.chmod(0o755)
    job.path = f"{directory}{os.pathsep}{job.path}"
    return trace


def test_the_payloads_login_opens_build_service_and_dind(
    rig: Rig, start: Start, login: Login, private: str
) -> None:
    """Every image that the host pulls for a job is pulled with the login that GitLab sends."""
    request = JobRequest(
        image=private,
        services=[
            {"name": private, "alias": "other", "command": ["sleep", "600"]},
            {"name": f"{rig.registry_image}/docker:20.10.16-dind"},
        ],
        logins=[login],
    )
    said = prepare(start(request)).passed().output
    assert said.count(f"{SOURCE}job payload (GitLab Registry)\n") == 2
    images = (private, f"{rig.registry_image}/docker:20.10.16-dind")
    assert [said.count(f"Pulling docker image {image} ...\n") for image in images] == [1, 1]


def test_the_jobs_variable_opens_it(rig: Rig, start: Start, private: str) -> None:
    """DOCKER_AUTH_CONFIG works as a variable and as a file variable."""
    own = Login(rig.gitlab, rig.deploy_user.name, rig.deploy_user.password)
    for file in (False, True):
        variable = Variable("DOCKER_AUTH_CONFIG", auths(own), public=False, masked=True, file=file)
        said = prepare(start(JobRequest(private, variables=[variable]), NO_DIND)).passed().output
        assert f"{SOURCE}$DOCKER_AUTH_CONFIG\n" in said


def test_the_runners_own_configuration_opens_it(rig: Rig, start: Start, private: str) -> None:
    """A login in the ~/.docker/config.json of gitlab-runner's user opens the registry."""
    job = start(JobRequest(private), NO_DIND)
    give_home(job, auths(Login(rig.gitlab, rig.deploy_user.name, rig.deploy_user.password)))
    assert f"{SOURCE}{job.home}/.docker/config.json\n" in prepare(job).passed().output


def test_the_longest_path_wins(rig: Rig, start: Start, private: str) -> None:
    """A login for the image's group beats one for the host that stands in a stronger source."""
    wrong = Login(rig.gitlab, rig.ci_user.name, "wrong-password-of-the-host")
    right = Login(f"{rig.gitlab}/group/tests", rig.ci_user.name, rig.ci_user.password)
    variable = Variable("DOCKER_AUTH_CONFIG", auths(wrong), public=False)
    job = start(JobRequest(private, variables=[variable], logins=[wrong]), NO_DIND)
    give_home(job, auths(right))
    assert f"{SOURCE}{job.home}/.docker/config.json\n" in prepare(job).passed().output


@pytest.mark.parametrize("password", [None, "not-the-password-at-all"])
def test_a_login_that_opens_nothing(
    rig: Rig, start: Start, private: str, password: str | None
) -> None:
    """A wrong or missing login is the author's mistake; the message has no password."""
    logins = [Login(rig.gitlab, rig.ci_user.name, password)] if password else []
    call = prepare(start(JobRequest(private, logins=logins), NO_DIND))
    assert call.code == BUILD_FAILURE
    assert (
        f'ERROR: failed to pull image "{private}" with specified policies [always]:' in call.stderr
    )
    assert "Check the image's name and tag. If the registry needs a login" in call.stderr
    assert "retrying" not in call.output
    assert not password or password not in call.output


def test_a_job_chooses_no_program_on_the_host(
    rig: Rig, start: Start, login: Login, private: str
) -> None:
    """Helpers that DOCKER_AUTH_CONFIG names do not run; the job goes on with its other logins."""
    config = {
        "auths": {},
        "credsStore": "chosen",
        "credHelpers": {rig.gitlab: "chosen", "registry.example.com": "../../bin/chosen"},
    }
    variable = Variable("DOCKER_AUTH_CONFIG", json.dumps(config), public=False)
    job = start(JobRequest(private, variables=[variable], logins=[login]), NO_DIND)
    trace = give_program(job, "docker-credential-chosen", "#!/bin/sh\ndate >>'@TRACE@'\n")
    said = prepare(job).passed().output
    assert "credsStore of $DOCKER_AUTH_CONFIG is ignored" in said
    assert "credHelpers of $DOCKER_AUTH_CONFIG is ignored" in said
    assert not trace.exists()


def test_a_denied_image_says_which_line_has_to_move(rig: Rig, start: Start, private: str) -> None:
    """The helper of a project does not run, and the error names it, and where it would."""
    line = f'"credHelpers": {{"{rig.gitlab}": "ecr-login"}}'
    variable = Variable("DOCKER_AUTH_CONFIG", f"{{{line}}}", public=False)
    call = prepare(start(JobRequest(private, variables=[variable]), NO_DIND))
    assert call.code == BUILD_FAILURE
    error = call.stderr[call.stderr.index("ERROR: ") :]
    assert f"The job's DOCKER_AUTH_CONFIG has {line}" in error
    assert "move this line to ~/.docker/config.json of the user that runs gitlab-runner" in error


def test_the_operators_helper_is_asked(rig: Rig, start: Start, private: str) -> None:
    """The helper of the runner's own configuration runs without any variable of the job."""
    job = start(JobRequest(private, variables=[Variable("LOOK", "at me")]), NO_DIND)
    user = rig.deploy_user
    trace = give_program(
        job,
        "docker-credential-operators",
        "#!/bin/sh\n"
        "read -r server\n"
        "env >'@TRACE@'\n"
        f'echo \'{{"ServerURL": "", "Username": "{user.name}", "Secret": "{user.password}"}}\'\n',
    )
    give_home(job, json.dumps({"credHelpers": {rig.gitlab: "operators"}}))
    assert f"{SOURCE}{job.home}/.docker/config.json\n" in prepare(job).passed().output
    assert "CUSTOM_ENV_" not in trace.read_text(encoding="utf-8")


def test_a_login_in_the_job_replaces_a_bad_one(rig: Rig, start: Start) -> None:
    """The page's own `docker login` makes a push work that the job's login would not allow."""
    bad = Login(rig.gitlab, rig.ci_user.name, "expired-password-of-the-job")
    user = rig.deploy_user
    variables = [
        Variable("CI_REGISTRY", rig.gitlab),
        Variable("CI_REGISTRY_USER", user.name),
        Variable("CI_REGISTRY_PASSWORD", user.password, public=False, masked=True),
    ]
    image = f"{rig.gitlab}/group/tests/login"
    job = start(JobRequest("docker:26.1-cli", variables=variables, logins=[bad]))
    job.up()
    log_in = (
        'echo "$CI_REGISTRY_PASSWORD" | docker login $CI_REGISTRY -u $CI_REGISTRY_USER'
        " --password-stdin"
    )
    job.script("docker pull -q busybox", f"docker tag busybox {image}:{job.id}").passed()
    assert job.script(f"docker push {image}:{job.id}").code == BUILD_FAILURE
    job.script(log_in, f"docker push {image}:{job.id}").passed()
    assert tag_of(rig, user, "group/tests/login", str(job.id))
    job.script(f"docker push {image}:{job.id}", sub_stage="after_script").passed()
