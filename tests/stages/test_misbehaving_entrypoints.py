"""Entrypoints that do something else with our program or with its stdin.

Whatever they do, a job runs or fails soon with a sentence, and nothing secret is printed.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from executor.runner import notes
from executor.shell import ENVIRONMENT
from tests.stages.calls import BUILD_FAILURE, Call, JobCalls, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, Login, Variable

PASSWORD = "correct-horse-battery-staple"
RUNS, DROPS, NEVER, ANY = "runs", "dropped the command", "did not start it within", "whatever"
"""What becomes of a job; any other is the exit code of an entrypoint that ends."""

NO_DIND: Changes = {"dind": {"mode": "service"}}
_WITH_DIND = ("makes bash of sh", "copies stdin to the log", "shares stdin with another")
"""Whose jobs have a client's key, too."""
_SHORTEST_SECRET = 16
WORKS_ITSELF = "does the work itself"
_IMPATIENT = """\
import sys
from executor.__main__ import main
from executor.engine import containers, talk
containers._HANDOVER_SECONDS = float(sys.argv.pop(1))
talk._PAUSES_SECONDS = (1.0, 0.5) * 30
sys.argv.insert(1, "prepare")
main()
"""

ENTRYPOINTS = {
    "makes bash of sh": (
        ["/bin/bash", "-c", "ln -snf /bin/bash /bin/sh && /bin/bash -c $0"],
        RUNS,
    ),
    "login shell": (["/bin/bash", "-l", "-c"], RUNS),
    "login shell by name": (["bash", "--login", "-c"], RUNS),
    "shell that stops at errors": (["sh", "-e", "-c"], RUNS),
    "eats stdin": (["sh", "-c", "cat >/dev/null"], DROPS),
    "echoes stdin": (["sh", "-c", "cat"], DROPS),
    "echoes stdin twice": (["sh", "-c", "tee /dev/stderr"], DROPS),
    "ends at once": (["true"], "0"),
    WORKS_ITSELF: (["sh", "-c", "echo my last words; exit 3"], "3"),
    "never ends": (["sh", "-c", "sleep 3600"], DROPS),
    "becomes a program that never ends": (["sh", "-c", "exec sleep 3600"], DROPS),
    "becomes another shell": (["sh", "-c", "exec bash"], RUNS),
    "becomes an interactive shell": (["sh", "-c", "exec bash -i"], RUNS),
    "is slow": (["sh", "-c", 'sleep 3; exec "$@"', "x"], RUNS),
    "reads a line first": (["bash", "-c", 'read -rt 3 a; echo "got $a"; exec "$@"', "x"], RUNS),
    "closes stdin": (["sh", "-c", 'exec "$@" <&-', "x"], "1"),
    "leads stdin elsewhere": (["sh", "-c", 'exec "$@" </dev/null', "x"], "1"),
    "gives stdin to another": (["sh", "-c", 'cat <&0 & exec "$@" </dev/null', "x"], "1"),
    "prints its arguments": (["sh", "-c", 'printf "%s\\n" "$@"; exec "$@"', "x"], RUNS),
    "prints arguments and stdin": (["sh", "-c", 'echo "$@"; exec cat', "x"], DROPS),
    "prints what it does": (["bash", "-xvc", 'exec "$@"', "x"], RUNS),
    "prints what it reads": (["sh", "-c", "exec bash -xv"], RUNS),
    "reads slowly": (["sh", "-c", 'while read -r a; do echo "$a"; sleep 1; done'], DROPS),
    "takes line after line": (["sh", "-c", 'while read -r a; do eval "$a"; done'], RUNS),
    # written from the list above and the Docker executor's behaviour alone
    "starts a session": (["sh", "-c", "exec setsid -w bash"], RUNS),
    "ignores hangups": (["nohup"], RUNS),
    "limits the time": (["timeout", "3600"], RUNS),
    "shell without an environment": (["env", "-i", "PATH=/bin:/usr/bin", "bash"], "126"),
    "shell after a while": (["sh", "-c", "(sleep 2; echo late) & wait; bash -s"], RUNS),
    "writes its stdin to a file": (["sh", "-c", "exec cat >/tmp/x"], DROPS),
    "takes all of stdin at once": (["bash", "-c", 'eval "$(cat)"'], NEVER),
    "makes arguments of stdin": (["xargs"], NEVER),
    "copies stdin to the log": (["sh", "-c", 'tee /dev/stderr | "$@"', "x"], RUNS),
    "shares stdin with another": (["bash", "-c", 'cat <&0 & exec "$@"', "x"], ANY),
    "is an application": (["sh", "-c", "cd /tmp && sleep ${NAP-3600} 2>&1"], DROPS),
    "waits for a signal": (["sh", "-c", "trap : TERM; sleep 3600 & wait"], NEVER),
    "becomes a shell by a script": (
        ["bash", "-c", "printf 'sleep 5\nexec bash\n' >/tmp/x; exec bash /tmp/x"],
        RUNS,
    ),
    "prints much": (
        ["sh", "-c", 'yes my banner | head -n 100000; exec "$@"', "x"],
        RUNS,
    ),
    "keeps a log of its own": (
        ["bash", "-c", 'exec > >(tee /tmp/log) 2>&1; exec "$@"', "x"],
        RUNS,
    ),
    "splits a string": (["env", "-S", "bash -l -c"], RUNS),
    "becomes another user": (["chroot", "--userspec=65534:65534", "/"], RUNS),
    "runs it as a child": (["sh", "-c", '"$@"', "x"], RUNS),
    "prints to stderr": (["sh", "-c", 'exec "$@" >&2', "x"], RUNS),
    "exports its options": (
        ["bash", "-c", 'ln -sf bash /bin/sh; export SHELLOPTS; set -euo pipefail; exec "$@"', "x"],
        RUNS,
    ),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job."""

    prepare: Call
    run: Call | None
    secrets: set[str]
    """What was meant for the build container alone."""


def _secrets(job: JobCalls) -> set[str]:
    """Return the lines of the files that were meant for the build container."""
    (note,) = job.temp.rglob(f"*build{notes.request_of('')}")
    files = json.loads(note.read_text())["files"]
    lines = {line for path, text in files if path != ENVIRONMENT for line in text.splitlines()}
    return {each for each in lines if len(each) >= _SHORTEST_SECRET and "-----" not in each}


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, start_standing: Start, login: Login) -> dict[str, Ended]:
    """Return what became of a job with each of the entrypoints that a test asks for."""
    asked = {each.nodeid.partition("[")[2].rstrip("]") for each in request.session.items}
    names = [each for each in ENTRYPOINTS if each in asked or each == WORKS_ITSELF]

    def ends(name: str) -> Ended:
        entrypoint, result = ENTRYPOINTS[name]
        job = start_standing(
            JobRequest(
                "debian:bookworm",
                variables=[Variable("PASSWORD", PASSWORD, public=False, masked=True)],
                image_options={"entrypoint": entrypoint},
                logins=[login],
            ),
            {} if name in _WITH_DIND else NO_DIND,
        )
        job.config().passed()
        patience = "3" if result in {NEVER, ANY} else "60"
        program = [sys.executable, "-I", "-c", _IMPATIENT, patience]
        prepare = job.start("prepare", program=program).finish()
        run = None
        if prepare.code == 0:
            run = job.run("build_script", 'echo "it runs $((6 * 7))"')
        secrets = {*_secrets(job), PASSWORD, job.request.token, login.password}
        job.cleanup().passed()
        return Ended(prepare, run, secrets)

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(ends, names), strict=True))


@pytest.mark.family(3)
@pytest.mark.parametrize("name", ENTRYPOINTS)
def test_an_entrypoint(ended: dict[str, Ended], name: str) -> None:
    """The job runs as under the Docker executor, or fails soon; nothing secret is in its log."""
    _entrypoint, result = ENTRYPOINTS[name]
    prepare, run = ended[name].prepare, ended[name].run

    if result == RUNS:
        prepare.passed()
        assert run is not None
        assert "it runs 42\n" in run.passed().output
    elif result != ANY:
        told = f"(exit code {result})" if result.isdigit() else result
        assert_error(prepare, BUILD_FAILURE, "The entrypoint of the image", told, 'exec "$@"')
    assert len(ended[name].secrets) > (10 if name in _WITH_DIND else 3)
    said = prepare.output + (run.output if run else "")
    assert [each for each in ended[name].secrets if each in said] == []


def test_its_last_words_come_before_the_sentence(ended: dict[str, Ended]) -> None:
    """An entrypoint that does the work itself says why it ended."""
    prepare = ended[WORKS_ITSELF].prepare

    assert "my last words\n" in prepare.stdout
    assert "my last words" not in prepare.stderr
