"""Sidecars that end at bad moments: before they listen, before they answer, and under a script.

`python -m tests.load.sidecar_deaths --times 20` does each of them that often, with each dind that the
rig has.  A job that needs its daemon must end as a system failure that tells of the sidecar's end and
last words, within 5 seconds of its script's end; a job that never asks for it must pass.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.generations import GENERATIONS
from tests.rig import state
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, Call, JobCalls, as_gitlab_runner
from tests.stages.conftest import Changes, Jobs
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

CLIENT = "docker:26.1-cli"
MOST_SECONDS = 5.0
_END = "script ends "
_TELLS = f"trap 'read up idle </proc/uptime; echo {_END}$up' EXIT"
"""Both containers have the host's clock."""
_NEEDS = (_TELLS, "echo begun", "docker version", "docker events", "exit 42")
_DOES_NOT = (_TELLS, "echo begun", "sleep 2", "echo passed")


@dataclass(frozen=True, slots=True)
class Death:
    """How a sidecar ends."""

    command: tuple[str, ...] = ()
    """What ends dockerd by itself: arguments that it finds wrong sooner or later."""
    kills: bool = False
    """Whether somebody kills it once the script has begun to wait for events."""
    words: str = ""
    """What it is known by in the job log."""


DEATHS = {
    "before it listens": Death(("--no-such-option",), words="unknown flag"),
    "before it answers": Death(("--storage-driver=none-such",), words="none-such"),
    "under a script": Death(kills=True, words="API listen on"),
}


def sidecar_dies(
    start: Callable[[JobRequest, Changes], JobCalls],
    witness: Witness,
    image: str,
    death: Death,
    *,
    needs: bool,
) -> tuple[Call, float]:
    """Run a job whose sidecar dies; return its script's call, and how long that lasted after the script."""
    changes: Changes = {"dind": {"image": image, "command": list(death.command)}}
    job = start(JobRequest(CLIENT), changes)
    job.up()
    running = job.start_run("build_script", job.authors(*(_NEEDS if needs else _DOES_NOT)))
    if death.kills:
        running.wait_for("$ docker events" if needs else "begun")
        witness.container(job.id, "dind").kill()
    call = running.finish()
    with Path("/proc/uptime").open(encoding="ascii") as file:
        now = float(file.read().split()[0])
    ended = [line for line in call.stdout.splitlines() if line.startswith(_END)]
    job.cleanup().passed()
    return call, now - float(ended[-1].removeprefix(_END))


def fault(call: Call, death: Death, *, needs: bool) -> str:
    """Return what is wrong with the end of a script whose sidecar has died; empty if nothing is."""
    if not needs:
        right = call.code == 0 and "passed\n" in call.stdout
    else:
        told = call.stderr.partition("ERROR: The dind sidecar exited with code ")[2]
        right = call.code == SYSTEM_FAILURE and death.words in told
    return "" if right else f"exit code {call.code}:\n{call.output}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Have sidecars die; return 1 where a job ends otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--images", nargs="+", default=GENERATIONS, help="dind images")
    options = parser.parse_args(arguments)
    faults = 0
    with _jobs(state.load()) as (jobs, witness):
        for image in options.images:
            for name, death in DEATHS.items():
                for needs in (True, False):
                    longest = 0.0
                    for _ in range(options.times):
                        call, seconds = sidecar_dies(jobs.start, witness, image, death, needs=needs)
                        longest = max(longest, seconds)
                        wrong = fault(call, death, needs=needs)
                        if not wrong and seconds > MOST_SECONDS:
                            wrong = f"{seconds:.1f} seconds after its script"
                        if wrong:
                            faults += 1
                            print(f"FAULT {wrong}", flush=True)
                    kind = "needs it" if needs else "does not"
                    print(
                        f"{image}, {name}, {kind}: {options.times} times, {longest:.1f} s",
                        flush=True,
                    )
    return 1 if faults else 0


@contextmanager
def _jobs(rig: Rig) -> Iterator[tuple[Jobs, Witness]]:
    witness = Witness(rig.engine_host)
    with tempfile.TemporaryDirectory(prefix="sidecar-deaths-") as directory, as_gitlab_runner():
        jobs = Jobs(rig, witness, Path(directory))
        try:
            yield jobs, witness
        finally:
            jobs.end()
            witness.close()


if __name__ == "__main__":
    sys.exit(main())
