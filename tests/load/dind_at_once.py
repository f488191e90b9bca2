"""Many jobs on one engine that all have their own Docker daemon at the same moment.

`python -m tests.load.dind_at_once --jobs 40` prepares them all, has each one build and run an image in
its daemon while the others' daemons are there, and cleans up.  Every job must succeed, no two of their
networks may overlap, and nothing may be left.
"""

import argparse
import ipaddress
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig import state
from tests.stages import calls, scripts
from tests.stages.calls import JobCalls
from tests.stages.conftest import settings_text
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_LONGEST_SECONDS = 1200.0
SCRIPT = (
    r"printf 'FROM alpine\nRUN echo built >/told\n' | docker build --quiet --tag own - >/dev/null 2>&1",
    "docker run --rm own cat /told",
    "docker network create --subnet 172.18.0.0/16 own >/dev/null",
    "docker run --rm --network own own cat /told",
)


@dataclass(slots=True)
class Tally:
    """What jobs came to."""

    passed: int = 0
    prepared: int = 0
    faults: list[str] = field(default_factory=list)
    subnets: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Note networks that overlap."""
        networks = sorted(ipaddress.ip_network(each) for each in self.subnets)
        pairs = itertools.pairwise(networks)
        self.faults += [f"{one} overlaps {other}" for one, other in pairs if one.overlaps(other)]


def live(job: JobCalls, host: str, tally: Tally, together: threading.Barrier) -> None:
    """Run one job, whose script begins when all jobs are prepared; note what went wrong."""
    done = [job.config(), job.prepare()]
    witness = Witness(host)
    try:
        with tally.lock:
            tally.prepared += not any(each.code for each in done)
            for network in witness.client.networks.list(
                filters={"label": f"dind-executor.job-id={job.id}"}
            ):
                tally.subnets += [each["Subnet"] for each in network.attrs["IPAM"]["Config"]]
        together.wait(_LONGEST_SECONDS)
        if not any(each.code for each in done):
            done.append(job.run("build_script", scripts.whole(SCRIPT)))
        together.wait(_LONGEST_SECONDS)
        done.append(job.cleanup())
        left = witness.objects(job.id)
    finally:
        witness.close()
    wrong = [f"{each.stage} of {job.id}: {each.output[-1500:]}" for each in done if each.code]
    told = "".join(each.stdout for each in done).splitlines().count("built")
    with tally.lock:
        tally.faults += [*wrong, *(f"left of {job.id}: {each}" for each in left)]
        tally.passed += not wrong and told == 2


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where a job failed, or anything is left."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.dind_at_once")
    parser.add_argument("--jobs", type=int, default=40, help="at once (default: 40)")
    given = parser.parse_args(args)
    calls._LONGEST_SECONDS = _LONGEST_SECONDS
    rig, tally, started = state.load(), Tally(), time.monotonic()
    together = threading.Barrier(given.jobs)
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        settings = directory / "settings.toml"
        settings.write_text(settings_text(rig, {"dind": {"ready_timeout": 900}}), encoding="utf-8")
        jobs = [
            JobCalls(JobRequest("docker:26.1-cli"), directory / f"job{number}", settings)
            for number in range(given.jobs)
        ]
        threads = [
            threading.Thread(target=live, args=(job, rig.engine_host, tally, together))
            for job in jobs
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    tally.check()
    print(
        f"{tally.prepared} of {given.jobs} jobs prepared at once, {tally.passed} passed,"
        f" {len(tally.subnets)} networks, in {time.monotonic() - started:.0f} s",
        *tally.faults,
        sep="\n",
    )
    return 1 if tally.faults or tally.passed != given.jobs else 0


if __name__ == "__main__":
    sys.exit(main())
