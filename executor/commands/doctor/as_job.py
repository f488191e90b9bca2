"""`--as-job`: one real job on this host, by the hooks and settings that gitlab-runner would use.

`dind-executor local` runs it, in a project that is made for it and removed again.  It asks for what jobs
ask for: sources, a Docker daemon, a build, and a container of what was built.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Finding, fail, ok
from executor.excerpts import excerpt
from executor.files import read_regular

_MARK = "dind-executor doctor: "
_STEPS = (
    ("docker version", "docker version"),
    ("docker build", "docker build -t dind-executor-doctor ."),
    ("docker run", "docker run --rm --entrypoint cat dind-executor-doctor /built"),
)
_PIPELINE = """\
doctor:
  image: {image}
{services}  variables: {{GIT_DEPTH: "1"}}
  script:
{steps}
"""
_DOCKERFILE = "FROM {image}\nRUN echo it works >/built\n"
_CLIENT = "command -v docker >/dev/null || { echo 'the image has no docker command'; exit 1; }"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TIMEOUT = "20m"
_LOG_LINES = 20
_LONGEST_LINE, _LONGEST_REPORT = 1000, 1 << 20
_SCRIPT = "build_script"
_OF_THE_PROCESS = (
    "DOCKER_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "HOME",
)
_REMEDY = (
    "its last lines say what failed; `--as-job IMAGE` takes another image, which must have a docker"
    " command"
)
_NO_GIT = "git is not on the PATH: the job's sources come from a repository that is made for it"
_IDENTITY = ("-c", "user.name=doctor", "-c", "user.email=doctor@localhost")


class Job(NamedTuple):
    """How the job ended."""

    ok: bool
    image: str
    seconds: float
    phases: tuple[tuple[str, float], ...]
    """What it did, in order, with its seconds."""
    log: tuple[str, ...] = ()
    """The last lines of its log, if it failed."""
    remedy: str = _REMEDY

    def as_json(self) -> dict[str, object]:
        """Return it as docs/doctor.md describes it."""
        return {
            "ok": self.ok,
            "image": self.image,
            "seconds": round(self.seconds, 3),
            "phases": [{"name": name, "seconds": round(spent, 3)} for name, spent in self.phases],
            "log": list(self.log),
        }

    def finding(self) -> Finding:
        """Return what it says of the host."""
        spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.phases)
        if self.ok:
            return ok(f"a job with {self.image} took {self.seconds:.1f} s: {spent}")
        last = self.phases[-1][0] if self.phases else "its start"
        said = "\n".join(self.log) or "it left no log"
        return fail(
            f"a job with {self.image} failed ({last} was the last thing that it did):\n{said}",
            "a job that ends well",
            self.remedy,
        )


def default_image(facts: Facts) -> str:
    """Return the image of the job: that of the sidecar has a Docker client, and is pulled anyway."""
    return facts.settings.dind.image


def try_job(facts: Facts, image: str, hooks: str = "") -> Job:
    """Run the job; what it made is gone afterwards, also if this is interrupted."""
    if not shutil.which("git"):
        return Job(False, image, 0.0, (), (_NO_GIT,), "install git")  # noqa: FBT003
    started = time.monotonic()
    with _directory() as place:
        try:
            _write_project(place / "project", facts, image)
            _give_away(place, facts)
            lines, marks, code = _run(place, facts, hooks)
        except (OSError, subprocess.SubprocessError) as error:
            why = f"The job cannot be made: {error}"
            return Job(False, image, time.monotonic() - started, (), (why,))  # noqa: FBT003
        phases = tuple(_phases(_calls(place / "report.json"), marks))
    log = () if code == 0 else tuple(lines[-_LOG_LINES:])
    return Job(code == 0, image, time.monotonic() - started, phases, log)


def _run(place: Path, facts: Facts, hooks: str) -> tuple[list[str], dict[str, float], int]:
    """Return the job's last lines, its marks, and the exit code of `dind-executor local`."""
    user = facts.user if _is_given_away(facts) else None
    options = ["--timeout", _TIMEOUT, "--report", str(place / "report.json")]
    options += ["--project-path", "dind-executor/doctor"]
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "executor", "local", *options, *_registration(facts, hooks)],
        cwd=place / "project",
        env={**_environment(facts), "TMPDIR": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # Ctrl-C reaches it once, from here.
        process_group=0,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=sorted(user.groups) if user else None,
    ) as process:
        try:
            return *_read(process), process.wait()
        except BaseException:
            # It ends the job and cleans up before it goes.
            process.terminate()
            _read(process)
            raise


def _read(process: "subprocess.Popen[str]") -> tuple[list[str], dict[str, float]]:
    """Return the job's last lines, and when each of its steps began and the last one ended."""
    lines: list[str] = []
    marks: dict[str, float] = {}
    for line in process.stdout or ():
        text = excerpt(_ESCAPES.sub("", line).rstrip(), _LONGEST_LINE)
        if text.startswith(_MARK):
            marks[text.removeprefix(_MARK)] = time.monotonic()
        elif text:
            lines = [*lines[-_LOG_LINES:], text]
    return lines, marks


def _phases(
    calls: list[tuple[str, float]], marks: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield the calls of the hooks, and the steps of the script in the place of its call."""
    for name, seconds in calls:
        if name != _SCRIPT:
            yield name, seconds
            continue
        moments = list(marks.items())
        if not moments:
            yield "script", seconds
        for (step, begun), (_, ended) in itertools.pairwise(moments):
            yield step, ended - begun
        if moments and moments[-1][0] != "end":
            yield moments[-1][0], max(0.0, seconds - (moments[-1][1] - moments[0][1]))


def _calls(report: Path) -> list[tuple[str, float]]:
    """Return what `dind-executor local` reports; nothing where it did not come so far."""
    try:
        told = json.loads(read_regular(str(report), _LONGEST_REPORT))
        return [(str(each["name"]), float(each["seconds"])) for each in told[0]["calls"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _write_project(project: Path, facts: Facts, image: str) -> None:
    """Write what a job author would, and commit it.  Raises OSError or SubprocessError."""
    project.mkdir()
    named = json.dumps(image)
    steps = [line for name, command in _STEPS for line in (f"echo '{_MARK}{name}'", command)]
    steps = [_CLIENT, *steps, f"echo '{_MARK}end'"]
    services = f"  services: [{json.dumps(facts.settings.dind.image)}]\n"
    text = _PIPELINE.format(
        image=named,
        services=services if facts.settings.dind.mode == "service" else "",
        steps="\n".join(f"    - {json.dumps(each)}" for each in steps),
    )
    (project / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
    (project / "Dockerfile").write_text(_DOCKERFILE.format(image=image), encoding="utf-8")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*_IDENTITY, "commit", "--quiet", "--message=Doctor"),
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True)


def _registration(facts: Facts, hooks: str) -> list[str]:
    """Return the options that name the hooks and the settings."""
    runners = facts.config.runners
    if hooks or not runners:
        settings = ["--settings", facts.settings_path] if facts.settings_path else []
        return [*(["--hooks", hooks] if hooks else []), *settings]
    return ["--config", facts.config.path, "--runner", runners[0].name]


def _environment(facts: Facts) -> dict[str, str]:
    """Return this environment, with what gitlab-runner's has of the engine and of proxies."""
    environ = facts.process.environ if facts.process else {}
    its = {name: each for name, each in environ.items() if name.startswith(_OF_THE_PROCESS)}
    return {**facts.environ, **its}


def _is_given_away(facts: Facts) -> bool:
    hindered = facts.user.hindrance(facts.files, facts.config.path, 4)
    return not os.geteuid() and facts.user.uid > 0 and not hindered


def _give_away(place: Path, facts: Facts) -> None:
    if _is_given_away(facts):
        # The directory itself is the last one: whoever has it may put links of their own there.
        for path in (*place.rglob("*"), place):
            os.chown(path, facts.user.uid, facts.user.gid, follow_symlinks=False)


@contextmanager
def _directory() -> Iterator[Path]:
    """Have a directory for the project, which gitlab-runner's user may use."""
    path = Path(tempfile.mkdtemp(prefix="dind-executor-doctor-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
