"""Calls a hook as gitlab-runner does: environment, directory, arguments and exit codes."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.builders import RUNNER_VALUES, TOKEN, a_payload
from tests.recording import recorder

HOOKS = (recorder() or Path(__file__).parents[1]) / "hooks"
STAGES = ("config", "prepare", "run", "cleanup")
BUILD_FAILURE, SYSTEM_FAILURE = 41, 42


class Runner:
    """gitlab-runner, as far as a hook can tell."""

    def __init__(self, directory: Path) -> None:
        """Have one job, with its files below `directory`."""
        self.temp = directory / "custom-executor1"
        self.temp.mkdir()
        self.home = directory / "home"
        self.home.mkdir()
        self.settings = directory / "settings.toml"
        self.settings.write_text(
            f'[docker]\nhost = "unix://{directory}/engine.sock"\n[log]\ndestination = "none"\n'
        )
        self.response = self.temp / "response.json"
        self.response.write_text(json.dumps(a_payload()) + "\n")
        self.exit_code_file = self.temp / "build_exit_code"
        self.script = self.temp / "script1" / "script"
        self.script.parent.mkdir()
        self.script.write_text("echo hello\nexit 0\n")
        self.job_env: dict[str, str] = {}
        self.values = {**RUNNER_VALUES, "CI_JOB_TOKEN": TOKEN, "CI_JOB_IMAGE": "docker:20.10.16"}

    def environment(self) -> dict[str, str]:
        """Return the environment of the next call."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE),
            "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE),
            "BUILD_EXIT_CODE_FILE": str(self.exit_code_file),
            "JOB_RESPONSE_FILE": str(self.response),
            **self.job_env,
            **{f"CUSTOM_ENV_{key}": value for key, value in self.values.items()},
        }

    def call(
        self,
        stage: str,
        *,
        hook: Path | None = None,
        args: tuple[str, ...] | None = None,
        without: tuple[str, ...] = (),
        changes: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Call a hook; `without` names variables that are not set."""
        last = (str(self.script), "build_script") if stage == "run" else ()
        given = ("--settings", str(self.settings)) if args is None else args
        environment = {**self.environment(), **(changes or {})}
        for key in without:
            environment.pop(key, None)
        return subprocess.run(
            [str(hook or HOOKS / stage), *given, *last],
            cwd=self.temp,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            process_group=0,
        )

    def sentence(self, stage: str, code: int = SYSTEM_FAILURE, **given: object) -> str:
        """Call a hook that must fail; return its sentence, which is on stderr."""
        done = self.call(stage, **given)  # type: ignore[arg-type]
        assert done.returncode == code, done
        assert done.stderr.startswith("ERROR: "), done
        assert "unexpected" not in done.stderr
        assert "Traceback" not in done.stderr
        assert TOKEN not in done.stderr + done.stdout
        if stage != "prepare":
            assert done.stdout == ""
        return done.stderr.removeprefix("ERROR: ").rstrip("\n")
