"""Bad input: each has its sentence, its exit code, and leaves nothing behind."""

import sys
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, Call, JobCalls, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest

NO_DIND: Changes = {"dind": {"mode": "service"}}


def prepare(job: JobCalls) -> Call:
    """Call config and prepare."""
    job.config().passed()
    return job.prepare()


PAYLOADS = {
    "empty": ("", "is not JSON"),
    "cut off": ('{"id": 1, "tok', "is not JSON"),
    "not an object": ("[]", "is not what gitlab-runner writes"),
    "of another shape": ('{"id": "one", "services": {}}', "is not what gitlab-runner writes"),
}


@pytest.mark.parametrize(("text", "sentence"), PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("stage", ["config", "prepare"])
def test_a_broken_payload(start: Start, stage: str, text: str, sentence: str) -> None:
    """A payload that cannot be read is a system failure that names the file."""
    job = start(JobRequest())
    job.response_file.write_text(text, encoding="utf-8")
    call = job.call(stage)
    assert_error(call, SYSTEM_FAILURE, f"The job payload {job.response_file}", sentence)
    assert call.stdout == ""


def test_no_payload_file(start: Start) -> None:
    """The message names the variable in which gitlab-runner hands over the file's path."""
    job = start(JobRequest())
    job.response_file.unlink()
    for stage in ("config", "prepare"):
        call = job.call(stage)
        assert_error(call, SYSTEM_FAILURE, "(JOB_RESPONSE_FILE) cannot be read: No such file")


def test_a_settings_file_that_is_missing(start: Start) -> None:
    """The message names the file, and where config.toml names it."""
    job = start(JobRequest())
    job.settings = Path("/nowhere/settings.toml")
    call = job.config()
    sentence = "The settings file /nowhere/settings.toml cannot be read: No such file or directory"
    assert_error(call, SYSTEM_FAILURE, sentence, "in config.toml")
    assert call.stdout == ""


def test_a_settings_file_that_is_not_toml(start: Start) -> None:
    """The message names the line in the file."""
    job = start(JobRequest())
    job.settings.write_text("[docker]\nhost = unix\n", encoding="utf-8")
    assert_error(job.config(), SYSTEM_FAILURE, "is not TOML:", "line 2, column 8")


def test_settings_with_three_mistakes(start: Start) -> None:
    """All are told at once, each by its path."""
    job = start(JobRequest())
    job.settings.write_text(
        '[docker]\nhst = "unix:///run/docker.sock"\n[dind]\nready_timeout = "60"\n'
        'mode = "sometimes"\n',
        encoding="utf-8",
    )
    call = job.config()
    assert_error(call, SYSTEM_FAILURE, "has 3 mistakes:")
    for path in ("docker.hst", "dind.ready_timeout", "dind.mode"):
        assert path in call.stderr


def test_a_stage_without_settings(start: Start) -> None:
    """A registration that forgot the arguments is told which."""
    job = start(JobRequest())
    for stage in ("config", "prepare", "cleanup"):
        program = [sys.executable, "-I", "-c", _WITHOUT_ARGUMENTS, stage]
        call = job.start(stage, program=program).finish()
        assert_error(call, SYSTEM_FAILURE, "called without a settings file", "cleanup_args")


_WITHOUT_ARGUMENTS = """\
import sys
from executor.__main__ import main
sys.argv[1:] = sys.argv[1:2]
main()
"""


def test_an_engine_that_does_not_run(start: Start) -> None:
    """Each stage names the address, also cleanup, whose failure nobody else would tell."""
    job = start(JobRequest(), {"docker": {"host": "unix:///nowhere/docker.sock"}})
    job.config().passed()
    sentence = "The Docker Engine at unix:///nowhere/docker.sock cannot be reached: No such file"
    for stage in ("prepare", "cleanup"):
        assert_error(job.call(stage), SYSTEM_FAILURE, sentence, "Check that it is running")


def test_an_image_that_does_not_exist(rig: Rig, start: Start) -> None:
    """A missing image or tag is the author's mistake, and the job is not tried again."""
    missing, tag = rig.special("nobody/nothing:1"), rig.special("tools/web:never")
    requests = (
        JobRequest(missing),
        JobRequest(services=[{"name": missing}]),
        JobRequest(tag),
    )
    for request, name in zip(requests, (missing, missing, tag), strict=True):
        call = prepare(start(request, NO_DIND))
        assert_error(
            call, BUILD_FAILURE, f'failed to pull image "{name}"', "Check the image's name"
        )


def test_a_default_dind_that_does_not_exist(rig: Rig, start: Start) -> None:
    """A missing default dind image is the administrator's mistake, and no job fails for it that lists none."""
    name = rig.special("nobody/docker:nothing-dind")
    job = start(JobRequest(), {"dind": {"image": name}})
    job.config().passed()
    said = job.prepare().passed().output
    sentence = f'`[dind] image` of the runner\'s settings: failed to pull image "{name}"'
    assert sentence in said.partition("WARNING: `docker` is not available in this job")[2]


NO_IMAGES = {
    "upper case": ("Alpine", "image:"),
    "an id": ("sha256:" + "a" * 64, "is an image id"),
    "nothing": ("", "The job names no image and this runner has no default image"),
}


@pytest.mark.parametrize(("image", "sentence"), NO_IMAGES.values(), ids=NO_IMAGES)
def test_a_name_that_is_no_image(start: Start, image: str, sentence: str) -> None:
    """It fails before anything is pulled."""
    call = prepare(start(JobRequest(image), {"docker": {"image": ""}}))
    assert_error(call, BUILD_FAILURE, sentence)
    assert "Pulling" not in call.output


def test_images_that_the_operator_does_not_admit(rig: Rig, start: Start) -> None:
    """The job log shows the list of allowed images in gitlab-runner's words."""
    changes: Changes = {
        "docker": {"allowed_images": ["alpine:*", "alpine"], "allowed_services": ["docker:*"]}
    }
    call = prepare(start(JobRequest("busybox"), changes))
    listed = 'The "busybox" image is not present on list of allowed images:\n- alpine:*\n- alpine\n'
    assert_error(call, BUILD_FAILURE, listed)
    web = rig.special("tools/web:1")
    call = prepare(start(JobRequest(services=[{"name": web}]), changes))
    listed = f'The "{web}" image is not present on list of allowed services:\n- docker:*\n'
    assert_error(call, BUILD_FAILURE, listed)


def test_an_image_without_a_shell(rig: Rig, start: Start) -> None:
    """An image that can run no script is the author's mistake, and the message says so."""
    name = rig.special("tools/no-shell:1")
    call = prepare(start(JobRequest(name), NO_DIND))
    assert_error(
        call,
        BUILD_FAILURE,
        f'The image "{name}" cannot run scripts',
        'set `entrypoint: [""]` in the job',
    )
    options = {"entrypoint": [""]}
    call = prepare(start(JobRequest(name, image_options=options), NO_DIND))
    assert_error(call, BUILD_FAILURE, f'The image "{name}" cannot run scripts', "with a shell")


def test_an_entrypoint_that_does_not_run_its_command(start: Start) -> None:
    """An entrypoint that ends by itself fails the job, and its output is shown."""
    options = {"entrypoint": ["sh", "-c", "echo my own business; exit 3"]}
    call = prepare(start(JobRequest("docker:26.1-cli", image_options=options), NO_DIND))
    assert_error(
        call,
        BUILD_FAILURE,
        'The entrypoint of the image "docker:26.1-cli" must start',
        "exited without starting it",
        'disable it with `entrypoint: [""]` in the job',
    )
    assert "my own business\n" in call.stdout


_IMPATIENT = """\
import sys
from executor.__main__ import main
from executor.engine import containers
containers._HANDOVER_SECONDS = 1.0
sys.argv.insert(1, "prepare")
main()
"""


def test_an_entrypoint_that_never_hands_over(start: Start) -> None:
    """prepare waits for an entrypoint that runs on for a limited time, made short here."""
    options = {"entrypoint": ["sh", "-c", "echo my own business; sleep 3600"]}
    job = start(JobRequest("docker:26.1-cli", image_options=options), NO_DIND)
    job.config().passed()
    call = job.start("prepare", program=[sys.executable, "-I", "-c", _IMPATIENT]).finish()
    assert_error(call, BUILD_FAILURE, "did not start it within 1 seconds")


def test_a_user_that_the_image_does_not_know(start: Start) -> None:
    """Whoever named the user corrects it; another try of prepare does not."""
    options = {"executor_opts": {"docker": {"user": "nobody-there", "platform": ""}}}
    call = prepare(start(JobRequest("alpine", image_options=options), NO_DIND))
    assert_error(call, BUILD_FAILURE, "unable to find user nobody-there", "`docker: user`")


def test_a_daemon_that_is_not_root(start: Start) -> None:
    """A job's dind service runs as root, or the job reads what to use."""
    options = {"executor_opts": {"docker": {"user": "1000", "platform": ""}}}
    call = prepare(start(JobRequest(services=[{"name": "docker:26.1-dind", **options}])))
    assert_error(call, BUILD_FAILURE, 'runs as the user "1000"', "`docker:29-dind`")


def test_a_service_without_a_name(start: Start) -> None:
    """It is told by its place in the list."""
    call = prepare(start(JobRequest(services=[{"name": ""}]), NO_DIND))
    assert_error(call, BUILD_FAILURE, "services[0]:")


def test_a_run_without_an_environment(start: Start) -> None:
    """A script that is called without a prepare says what it misses."""
    job = start(JobRequest(), NO_DIND)
    job.config().passed()
    assert_error(job.script("true"), SYSTEM_FAILURE, "-build while the job ran")
