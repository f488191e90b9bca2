"""One job as GitLab knows it: from the queue to its final state."""

import json
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Mapping

from tests.patience import LONGEST_SECONDS

Json = dict[str, object]

FINAL_STATES = ("success", "failed", "canceled")


class Job:
    """A job of the stand-in. Runner and test meet in it, from different threads."""

    def __init__(self, payload: Mapping[str, object], retry_on: tuple[str, ...] = ()) -> None:
        self.payload = payload
        # The failure reasons after which GitLab gives the job out again, as `retry: when` has them.
        self.retry_on = retry_on
        # The job that took its place then.
        self.again: Job | None = None
        # The system id of the gitlab-runner that took it.
        self.runner_manager = ""
        # That runner's number, 0 where a test has taken it for any.
        self.runner_id = 0
        # When that was by GitLab's clock.
        self.started_at: str | None = None
        self.id = int(str(payload["id"]))
        self.token = str(payload["token"])
        self.state = "pending"
        self.failure_reason = ""
        self.exit_code = 0
        self.artifacts: bytes | None = None
        # What came besides the archive, by type.
        self.reports: dict[str, bytes] = {}
        # What GitLab tells the runner about the job with every answer.
        self.remote_status = "running"
        self.handed_out_at = 0.0
        self.finished_at = 0.0
        self._trace = bytearray()
        self._changed = threading.Condition()

    def __repr__(self) -> str:
        return f"<job {self.id} {self.state} {self.failure_reason}>"

    @property
    def trace(self) -> bytes:
        """The job log as the runner has sent it so far."""
        with self._changed:
            return bytes(self._trace)

    @property
    def seconds(self) -> float:
        """How long the runner had the job: from the hand-out to the final state."""
        return self.finished_at - self.handed_out_at

    @property
    def status(self) -> str:
        """The status that GitLab's API tells."""
        with self._changed:
            return self.remote_status if self.state == "running" else self.state

    @property
    def is_executing(self) -> bool:
        """Whether a runner has it, and may say how it ends."""
        return self.state == "running"

    def hand_out(self, runner_manager: str, started_at: str, runner_id: int = 0) -> None:
        """Note that a runner has taken the job."""
        with self._changed:
            self.state = "running"
            self.runner_manager, self.runner_id = runner_manager, runner_id
            self.started_at = started_at
            self.handed_out_at = time.monotonic()
            self._changed.notify_all()

    def append(self, start: int, content: bytes) -> bool:
        """Take a piece of the trace; refuse one that does not continue it."""
        with self._changed:
            if start != len(self._trace):
                return False
            self._trace += content
            self._changed.notify_all()
            return True

    def clear(self) -> None:
        """Forget the trace, as if nothing had been sent."""
        with self._changed:
            self._trace.clear()

    def update(self, *, state: str, failure_reason: str, exit_code: int, checksum: str) -> bool:
        """Take a state; refuse a final one if the trace is not what the runner has written."""
        with self._changed:
            if state not in FINAL_STATES:
                return True
            if checksum and checksum != f"crc32:{zlib.crc32(self._trace):08x}":
                self._trace.clear()
                return False
            self.finished_at = time.monotonic()
            self.state, self.failure_reason, self.exit_code = state, failure_reason, exit_code
            self._changed.notify_all()
            return True

    def retried(self, job_id: int) -> "Job | None":
        """Return the job that takes this one's place; None where it is not given out again."""
        reasons = {self.failure_reason, "always"}
        if self.state != "failed" or self.again or reasons.isdisjoint(self.retry_on):
            return None
        return self._again(job_id)

    def retried_by_hand(self, job_id: int) -> "Job | None":
        """Return the job that takes this one's place as somebody wants; None where it cannot be."""
        return None if self.again or self.state not in FINAL_STATES else self._again(job_id)

    def _again(self, job_id: int) -> "Job":
        # Another job, with a token of its own.
        text = json.dumps(self.payload).replace(self.token, f"glcbt-{secrets.token_hex(20)}")
        text = text.replace(f"/jobs/{self.id}", f"/jobs/{job_id}")
        payload = {**json.loads(text), "id": job_id}
        for variable in payload["variables"]:
            if variable["key"] == "CI_JOB_ID":
                variable["value"] = str(job_id)
        with self._changed:
            self.again = Job(payload)
            self._changed.notify_all()
            return self.again

    def cancel_by_hand(self, *, force: bool) -> None:
        """Cancel it as the API does: a runner that has it is asked, and by force is not."""
        with self._changed:
            if force and self.state == "running" and self.remote_status == "canceling":
                self.state = self.remote_status = "canceled"
                self.finished_at = time.monotonic()
            elif not force and self.state == "running":
                self.remote_status = "canceling"
            elif not force and self.state == "pending":
                self.state = "canceled"
            self._changed.notify_all()

    def wait_for_again(self, timeout_seconds: float = LONGEST_SECONDS) -> "Job":
        """Return the job that was given out in this one's place."""
        self._wait(lambda: self.again is not None, "is not given out again", timeout_seconds)
        assert self.again is not None
        return self.again

    def cancel(self) -> None:
        """Ask the runner to stop the script, as a click on Cancel does."""
        with self._changed:
            self.remote_status = "canceling"

    def force_cancel(self) -> None:
        """Tell the runner that the job is over, as a second click on Cancel does."""
        with self._changed:
            self.remote_status = "canceled"

    def wait(self, timeout_seconds: float = LONGEST_SECONDS) -> "Job":
        """Return when the job is over."""
        self._wait(lambda: self.state in FINAL_STATES, "is not over", timeout_seconds)
        return self

    def wait_for(self, text: str, timeout_seconds: float = LONGEST_SECONDS) -> None:
        """Return when the job log contains a text."""
        wanted = text.encode()
        self._wait(
            lambda: wanted in self._trace or self.state in FINAL_STATES,
            f'has not written "{text}"',
            timeout_seconds,
        )
        if wanted not in self.trace:
            raise AssertionError(f'{self} ended without "{text}":\n{self._tail()}')

    def _wait(self, is_reached: Callable[[], bool], complaint: str, timeout_seconds: float) -> None:
        with self._changed:
            if not self._changed.wait_for(is_reached, timeout_seconds):
                message = f"{self} {complaint} after {timeout_seconds} s:\n{self._tail()}"
                raise TimeoutError(message)

    def _tail(self) -> str:
        return self._trace.decode(errors="replace")[-4000:]
