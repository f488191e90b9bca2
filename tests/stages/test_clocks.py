"""A clock that is set while a job runs."""

import sys

from tests.stages.calls import Call, JobCalls
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_HOURS = 12
"""As of a machine that took its local time for UTC."""
_WITH_ANOTHER_CLOCK = """\
import datetime, itertools, sys, time
hours = float(sys.argv.pop(1))
real, real_time, jumps = datetime.datetime, time.time, itertools.count()
class Other(real):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(hours=hours)
datetime.datetime = Other
# Set again and again while the stage goes on.
time.time = lambda: real_time() + hours * 3600 * (-1) ** next(jumps)
from executor.__main__ import main
main()
"""


def call(job: JobCalls, hours: int, stage: str, *args: str) -> Call:
    """Call a stage whose clock is so many hours ahead."""
    program = [sys.executable, "-I", "-c", _WITH_ANOTHER_CLOCK, str(hours), stage]
    return job.start(stage, *args, program=program).finish()


def test_a_job_goes_on(start: Start, witness: Witness) -> None:
    """No stage waits longer or ends earlier, and dind's certificates stay valid."""
    for hours in (_HOURS, -_HOURS):
        job = start(JobRequest("docker:26.1-cli"))
        job.config().passed()
        call(job, hours, "prepare").passed()
        path = job.temp / "script"
        path.write_text("docker version\n", encoding="utf-8")
        said = call(job, -hours, "run", str(path), "build_script").passed()
        assert "Server:" in said.stdout
        call(job, -hours, "cleanup").passed()
        assert witness.objects(job.id) == []
