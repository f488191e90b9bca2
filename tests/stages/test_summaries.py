"""The lines at the end of a job log, beside what the engine, its kernel and the daemon say."""

import json
import re
from pathlib import Path

import pytest

from tests.stages import recorded
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

LAST = "cleanup_file_variables"
BUILDS = (
    "printf 'FROM alpine\\nRUN head -c 3000000 /dev/urandom >/noise\\n' >Dockerfile",
    "docker build -q .",
    "docker system df -v --format '{{json .BuildCache}}'",
)


def test_the_lines_say_what_the_others_say(start: Start, witness: Witness, tmp_path: Path) -> None:
    """Pulls, the sidecar's log, its memory, and its build cache: each figure has a witness."""
    job = start(
        JobRequest(image="docker:26.1-cli", image_options={"pull_policy": ["always"]}),
        {"sweep": {"state_dir": str(tmp_path)}},
    )
    job.up()
    built = job.script(*BUILDS).passed().output
    answered = recorded.answered_seconds(witness, job)

    lines = recorded.last_lines(job)

    pulled = recorded.did(recorded.records(tmp_path)[1], "pull")
    assert len(pulled) == 3
    recorded.assert_pulls_agree(lines, pulled)
    started, served, memory, cache = lines[3:]
    assert started.startswith("The dind sidecar started in ")
    assert served == f"Its Docker daemon answered {answered:.1f} s after its start."
    assert re.fullmatch(r"It used up to [\d.]+ [MG]iB of memory, cached files included\.", memory)
    # `docker system df` rounds
    made = re.fullmatch(r"Build cache: (\d+) records made \(([\d.]+) MiB\)\.", cache)
    assert made
    assert int(made[1]) == len(json.loads(built.splitlines()[-1]))
    assert float(made[2]) == pytest.approx(3_000_000 / (1 << 20), abs=0.1)


def test_a_job_without_a_sidecar_and_one_that_wants_no_lines(start: Start) -> None:
    """The first has its pulls, also after a script that failed; the second prints nothing."""
    without = start(JobRequest(), {"dind": {"mode": "service"}})
    without.up()
    without.script("exit 3")
    silent = start(JobRequest(), {"dind": {"mode": "service"}, "log": {"job_summary": False}})
    silent.up()

    told = recorded.lines_of(without.run(LAST, "true\n").passed().output)

    assert {line.split()[0] for line in told} == {"Pulled"}
    assert silent.run(LAST, "true\n").passed().output == ""
