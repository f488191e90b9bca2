"""`dind-executor register` with a real gitlab-runner: what it writes is read, and jobs come."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from executor.commands.doctor.table import IDS
from executor.commands.register.command import main
from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import runner, trace
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.rig.state import Rig

# As gitlab-runner's package leaves it, with an administrator's remark.
PACKAGED = """\
# Do not change this by hand.
concurrent = 1
check_interval = 1
shutdown_timeout = 0

[session_server]
  session_timeout = 1800
"""
JOB = """
job:
  script:
    - printf 'FROM busybox\\nRUN echo built\\n' | docker build -t built -
    - docker run --rm built echo "ran in it"
"""


def paths(rig: Rig, config: Path) -> list[str]:
    """Return where everything lies; what doctor finds wrong on this machine does not count."""
    given = {"--config": config, "--settings": rig.settings, "--hooks": HOOKS}
    return [*(f"{name}={value}" for name, value in given.items()), f"--ignore={','.join(IDS)}"]


def token_file(directory: Path, token: str) -> str:
    path = directory / "token"
    path.write_text(token)
    path.chmod(0o600)
    return str(path)


def test_the_first_job_of_a_runner_that_was_created(
    another_gitlab: GitLab, rig: Rig, checkout: Checkout, tmp_path: Path
) -> None:
    """One command beside a gitlab-runner that runs: it takes a job, builds an image and runs it."""
    config = tmp_path / "config.toml"
    config.write_text(PACKAGED)
    user = another_gitlab.registry.add_user({"create_runner"}, groups={7})
    command = ["--url", another_gitlab.url, "--create", "--group=7", "--tag=dind", "--untagged"]
    command += [
        "--gitlab-token-file",
        token_file(tmp_path, user),
        "--concurrent=2",
        "--no-units",
        "--no-job",
    ]

    with runner.running(runner.command_with(config, tmp_path), tmp_path) as running:
        assert main([*command, *paths(rig, config)]) == 0
        job = Pushed(another_gitlab, checkout).start_only(parse_pipeline(JOB, "test"))
        job.wait()
        running.wait_until_left(job.id)

    assert job.state == "success", job.trace.decode()
    assert "ran in it" in trace.lines(job.trace)
    written = config.read_text()
    assert written.startswith("# Do not change this by hand.\nconcurrent = 2\n")
    row = max(another_gitlab.registry.rows.values(), key=lambda each: each.id)
    assert [each["token"] for each in tomllib.loads(written)["runners"]] == [row.token]
    # Who asks first says what kind of host it is: a cancel then runs after_script at once.
    (manager,) = row.managers.values()
    assert manager.info["executor"] == "custom"


def test_gitlab_runner_verifies_what_was_written(
    another_gitlab: GitLab, rig: Rig, tmp_path: Path
) -> None:
    """It finds the runner by its name beside another one, and warns about no key."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'{PACKAGED}\n[[runners]]\n  name = "old"\n  url = "{another_gitlab.url}"\n'
        '  token = "glrt-abcdefghijklmnopqrst"\n  executor = "shell"\n  [runners.custom_build_dir]\n'
        "    enabled = false\n"
    )
    given = [
        "--token-file",
        token_file(tmp_path, another_gitlab.runner_token),
        "--no-units",
        "--no-job",
    ]

    assert (
        main(["--url", another_gitlab.url, "--name", "a new one", *given, *paths(rig, config)]) == 0
    )

    verified = subprocess.run(
        [runner.COMMAND, "verify", "--config", config, "--name", "a new one"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0
    assert "is valid" in verified.stderr
    assert "jsonschema" not in verified.stderr


def test_a_template_is_taken_whole(
    another_gitlab: GitLab, rig: Rig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`gitlab-runner register --template-config` writes what `register` would write."""
    ours, theirs = tmp_path / "ours.toml", tmp_path / "theirs.toml"
    assert main(["--print-template", *paths(rig, ours)]) == 0
    template = tmp_path / "template.toml"
    template.write_text(capfd.readouterr().out)
    given = {
        "config": str(theirs),
        "name": "x",
        "template-config": str(template),
        "url": another_gitlab.url,
        "executor": "custom",
    }
    flags = [f"--{name}={value}" for name, value in given.items()]
    subprocess.run(
        [runner.path(), "register", "--non-interactive", *flags],
        env={"PATH": "/usr/bin:/bin", "CI_SERVER_TOKEN": another_gitlab.runner_token},
        capture_output=True,
        check=True,
    )
    token = token_file(tmp_path, another_gitlab.runner_token)
    ours_given = ["--name=x", "--token-file", token, "--no-units", "--no-job", *paths(rig, ours)]
    assert main(["--url", another_gitlab.url, *ours_given]) == 0

    (written,) = tomllib.loads(ours.read_text())["runners"]
    (registered,) = tomllib.loads(theirs.read_text())["runners"]
    assert {key: registered[key] for key in written} == written
