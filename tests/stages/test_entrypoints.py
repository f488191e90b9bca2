"""Entrypoints of images: they see the job's variables before any script does.

One job stands for most of this.  Its entrypoint notes its environment and steps down to another
user, as many images do.
"""

import json
import signal

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import TOKEN_VARIABLE, JobRequest, Variable
from tests.stages.witness import Witness

NO_DIND: Changes = {"dind": {"mode": "service"}}
STEPS_DOWN = """\
echo to the log; echo to the log as well >&2
env -0 >/tmp/seen
export MADE_OF_A_SECRET="<$PASSWORD>"
exec chroot --userspec=1000:1000 / "$@"
"""
MASKED = 'it\'s "masked"\nand $has\\lines'


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start, images: Images) -> JobCalls:
    """Return a job whose image has an entrypoint that does things."""
    name = rig.special("tests/entrypoint:steps-down")
    entrypoint = json.dumps(["sh", "-c", STEPS_DOWN, "entrypoint"])
    images.publish(
        images.variant("debian:bookworm", "entrypoint", f"ENTRYPOINT {entrypoint}"), name
    )
    variables = [
        Variable("PUBLIC", "for everyone"),
        Variable("PASSWORD", MASKED, public=False, masked=True),
        Variable("PROTECTED", "not public", public=False),
        Variable("NOTES", "a file's content", file=True),
    ]
    job = start_standing(JobRequest(name, variables=variables), NO_DIND)
    job.up()
    return job


def _prepare(job: JobCalls) -> str:
    return next(call for call in job.calls if call.stage == "prepare").output


def _seen(job: JobCalls) -> dict[str, str]:
    call = job.script("tr '\\n\\0' '\\a\\n' </tmp/seen").passed()
    lines = [line for line in call.stdout.splitlines() if not line.startswith("$ ")]
    pairs = [line.replace("\a", "\n").partition("=") for line in lines]
    return {key: value for key, _, value in pairs}


def test_it_sees_the_jobs_variables(job: JobCalls) -> None:
    """The entrypoint gets public, secret, runner's and file variables as the scripts do."""
    seen = _seen(job)

    assert seen["PUBLIC"] == "for everyone"
    assert seen["PASSWORD"] == MASKED
    assert seen["PROTECTED"] == "not public"
    assert seen[TOKEN_VARIABLE] == job.request.token
    assert seen["CI_PROJECT_DIR"] == "/builds/group/project"
    assert seen["NOTES"] == "/builds/group/project.tmp/NOTES"
    assert "CI_JOB_SERVICES" not in seen


def test_secrets_do_not_show_on_the_engine(job: JobCalls, witness: Witness) -> None:
    """Neither the container's configuration nor its arguments hold a secret."""
    attributes = json.dumps(witness.container(job.id, "build").attrs)

    assert "for everyone" in attributes
    for secret in (job.request.token, "masked", "not public", "CI_PROJECT_DIR"):
        assert secret not in attributes


def test_what_it_prints_and_exports_is_kept(job: JobCalls) -> None:
    """The job log has what it prints, and every script what it exports."""
    said = _prepare(job)
    assert "to the log\n" in said
    assert "to the log as well\n" in said
    call = job.script('printf "%s" "$MADE_OF_A_SECRET"').passed()
    assert call.stdout.endswith(f"<{MASKED}>")
    job.script('[ "$PUBLIC" = "for everyone" ]', sub_stage="after_script").passed()


def test_it_may_step_down_to_another_user(job: JobCalls) -> None:
    """Scripts run as that user, who owns what Docker's client writes to."""
    touch = 'touch "${DOCKER_CONFIG:-$HOME/.docker}/mine" && ls /run/dind-executor'
    call = job.script("id -u", touch).passed()

    lines = call.stdout.splitlines()
    assert "1000" in lines
    assert "environment" not in lines


def test_a_container_made_anew_after_a_cancel_has_it_all_again(job: JobCalls) -> None:
    """The entrypoint runs there with the same variables, and after_script behind it."""
    running = job.start_run("build_script", job.authors("echo begun", "sleep 4497"))
    running.wait_for("begun\n")
    running.signal(signal.SIGTERM)
    running.finish()
    call = job.script('printf "%s" "$MADE_OF_A_SECRET"', "id -u", sub_stage="after_script").passed()

    assert f"<{MASKED}>" in call.stdout
    assert call.stdout.endswith("1000\n")


@pytest.mark.parametrize("entrypoint", [["/bin/sh", "-c"], ["/usr/bin/env", "bash", "-elc"]])
def test_a_shell_that_takes_one_word(start: Start, entrypoint: list[str]) -> None:
    """`sh -c` drops what comes behind its first word: scripts run as behind no entrypoint at all."""
    variables = [Variable("PASSWORD", MASKED, public=False, masked=True)]
    options = {"entrypoint": entrypoint}
    job = start(JobRequest("debian:bookworm", variables=variables, image_options=options), NO_DIND)
    job.up()

    assert job.script("exit 7").code == BUILD_FAILURE
    assert job.script("echo all the same").passed().stdout.endswith("all the same\n")


@pytest.mark.family(2)
@pytest.mark.parametrize("disabled", [True, False])
def test_the_operator_may_disable_overwriting(
    rig: Rig, start: Start, witness: Witness, *, disabled: bool
) -> None:
    """The image's and a service's own entrypoint stay, and the job log says so for each."""
    service = {
        "name": rig.special("tools/web:1"),
        "entrypoint": ["sh", "-c", "echo overwritten service; sleep 600"],
    }
    options = {"entrypoint": ["sh", "-c", 'echo overwritten image; exec "$@"', "sh"]}
    job = start(
        JobRequest("alpine", services=[service], image_options=options),
        # The overwritten service listens nowhere.
        {
            **NO_DIND,
            "docker": {"disable_entrypoint_overwrite": disabled, "wait_for_services_timeout": 1},
        },
    )
    said = job.up().output
    job.script("true").passed()

    assert said.count("WARNING: Entrypoint override disabled\n") == (2 if disabled else 0)
    assert ("overwritten image\n" in said) is not disabled
    assert ("overwritten service" in witness.log(job.id, "service")) is not disabled
