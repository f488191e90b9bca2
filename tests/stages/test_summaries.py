"""The lines at the end of a job log, beside what the engine, its kernel and the daemon say."""

import json
import re
from pathlib import Path

import pytest

from executor.notation.moments import moment
from executor.notation.sizes import size_text
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

END = "cleanup_file_variables"
BUILDS = (
    "printf 'FROM alpine\\nRUN head -c 3000000 /dev/urandom >/noise\\n' >Dockerfile",
    "docker build -q .",
    "docker system df -v --format '{{json .BuildCache}}'",
)


def lines_of(output: str) -> list[str]:
    """Return the lines of the section that a call has printed; fails where it has not."""
    found = re.fullmatch(
        r"section_start:\d+:dind_executor_summary\[collapsed=true\]\r\x1b\[0K"
        r"\x1b\[36;1mWhat the job took\x1b\[0;m\n"
        r"(.*)"
        r"section_end:\d+:dind_executor_summary\r\x1b\[0K",
        output,
        re.DOTALL,
    )
    assert found, output
    return found[1].splitlines()


def test_the_lines_say_what_the_others_say(start: Start, witness: Witness, tmp_path: Path) -> None:
    """Pulls, the sidecar's log, its memory, and its build cache: each figure has a witness."""
    job = start(
        JobRequest(image="docker:26.1-cli", image_options={"pull_policy": ["always"]}),
        {"sweep": {"state_dir": str(tmp_path)}},
    )
    job.up()
    built = job.script(*BUILDS).passed().output
    sidecar = witness.container(job.id, "dind")
    log = sidecar.logs(timestamps=True).decode()
    call = job.run(END, "true\n").passed()

    pulls = [line for line in lines_of(call.output) if line.startswith("Pulled ")]
    rest = lines_of(call.output)[len(pulls) :]
    records = (tmp_path / "spool" / "events.jsonl").read_text().splitlines()
    pulled = [each for each in json.loads(records[1])["did"] if each["what"] == "pull"]
    assert sorted(pulls) == sorted(_told(line, pulled) for line in pulls)
    assert len(pulls) == len(pulled) == 3
    served = next(line for line in log.splitlines() if "API listen on" in line).partition(" ")[0]
    began = moment(sidecar.attrs["State"]["StartedAt"])
    answered = moment(served)
    assert began is not None
    assert answered is not None
    cache = json.loads(built.splitlines()[-1])
    assert rest[0].startswith("The dind sidecar started in ")
    assert rest[1] == f"Its Docker daemon answered {answered - began:.1f} s after its start."
    assert re.fullmatch(r"It used up to [\d.]+ [MG]iB of memory, cached files included\.", rest[2])
    # `docker system df` rounds
    made = re.fullmatch(r"Build cache: (\d+) records made \(([\d.]+) MiB\)\.", rest[3])
    assert made
    assert int(made[1]) == len(cache)
    assert float(made[2]) == pytest.approx(3_000_000 / (1 << 20), abs=0.1)
    assert len(rest) == 4


def _told(line: str, pulled: list[dict[str, object]]) -> str:
    """Return the line about a pull as its record has it."""
    image = line.split()[1]
    (found,) = (each for each in pulled if image.endswith(str(each["image"])))
    seconds = float(str(found["to"])) - float(str(found["from"]))
    moved = int(str(found["bytes"]))
    size = size_text(moved) if moved else "nothing new"
    return f"Pulled {image} in {seconds:.1f} s ({size})."


def test_a_job_without_a_sidecar_and_one_that_wants_no_lines(start: Start) -> None:
    """The first has its pulls, also after a script that failed; the second prints nothing."""
    without = start(JobRequest(), {"dind": {"mode": "service"}})
    without.up()
    without.script("exit 3")
    silent = start(JobRequest(), {"dind": {"mode": "service"}, "log": {"job_summary": False}})
    silent.up()

    told = lines_of(without.run(END, "true\n").passed().output)

    assert {line.split()[0] for line in told} == {"Pulled"}
    assert silent.run(END, "true\n").passed().output == ""
