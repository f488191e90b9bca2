"""What is said on a container's streams until it has all its files."""

import time
from collections.abc import Callable
from typing import NamedTuple

from executor.engine.frames import Frames, Sink
from executor.engine.wire import Reader
from executor.redaction import MASK
from executor.shell import greetings
from executor.spec import ContainerSpec

_LONGEST_LINE = 256 * 1024
_LONGEST_OF_OURS = 1024
_LEAD_SECONDS = 1.0
"""How long an entrypoint may take before it is asked whether it is a shell that reads its stdin."""
_PAUSES_SECONDS = (7.0, 2.0, 8.0, 2.0, 38.0, 2.0)
"""How long an entrypoint may take after that, before each look whether it still can hand over."""
_LOOKS_IN_A_ROW = 2
_SHORTEST_REPEATED = 8
"""From how many bytes on something that we have sent counts as repeated."""


class Step(NamedTuple):
    """A line that a container prints, and what it is sent for that."""

    line: bytes
    answer: bytes = b""
    private: tuple[bytes, ...] = ()
    """Lines of the answer that an entrypoint may see but not repeat in the job log."""


class Talk:
    """What is said on a container's streams until it has all; an entrypoint's words pass on."""

    def __init__(
        self,
        spec: ContainerSpec,
        reader: Reader,
        seconds: float,
        steps: list[Step],
        sink: Sink,
    ) -> None:
        self._spec = spec
        self._reader = reader
        self._last = time.monotonic()
        """When something has changed, or was asked or looked at."""
        self._deadline = self._last + seconds
        self._steps = steps
        self._sink = sink
        self._asked = False
        self._repeats = False
        self._private: set[bytes] = set()
        self._held: dict[int, bytearray] = {}
        self._question = greetings.question(spec.name)
        self._lead = Step(greetings.reads_commands(spec.name), greetings.leading(spec.command))
        self._may_lead = False

    @property
    def over(self) -> bool:
        """Tell whether the last step is done."""
        return not self._steps

    def go_on(self, dropped: Callable[[], bool] | None = None) -> bool:
        """Go on until all steps are done or the stream ends; False where nothing can come any more.

        Where an entrypoint has not handed over shortly after it began, a shell that reads its stdin
        is led to our program; after some more silence, `dropped` is asked.  Raises TimeoutError
        when the time for all is over: an entrypoint may print for ever.
        """
        frames = Frames(self._reader, self)
        pauses = list(_PAUSES_SECONDS)
        lost = 0
        while True:
            due = self._deadline
            if dropped and self._waits_for_the_entrypoint():
                if not self._asked:
                    due = min(due, self._last + _LEAD_SECONDS)
                elif pauses:
                    due = min(due, self._last + pauses[0])
            try:
                frames.limit(due - time.monotonic())
                if not frames.copy_some():
                    return True
            except TimeoutError:
                if due == self._deadline or not dropped:
                    raise
                if not self._asked:
                    self._asked = self._may_lead = True
                    self.send(self._question)
                else:
                    del pauses[0]
                    lost = lost + 1 if self._repeats or dropped() else 0
                    if lost == _LOOKS_IN_A_ROW:
                        return False
                self._last = time.monotonic()

    def send(self, data: bytes) -> None:
        """Send; a container that has ended shows at the reading end.  Raises TimeoutError."""
        try:
            self._reader.socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
            self._reader.socket.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            return

    def __call__(self, descriptor: int, data: bytes) -> bool:
        """Take what was printed, and answer; tell whether all is done."""
        held = self._held.setdefault(descriptor, bytearray())
        held += data
        if self._steps and b"\n" not in data and len(held) <= _LONGEST_LINE:
            return False  # all that is waited for are lines: a piece without an end is none yet
        data = bytes(self._held.pop(descriptor))
        while self._steps:
            # On either stream: an entrypoint may have led one into the other.
            step = self._steps[0]
            if self._may_lead and step.line not in data:
                step = self._lead
            before, found, after = data.partition(step.line)
            if not found:
                break
            if step is self._lead:
                self._may_lead = self._repeats = False
            else:
                del self._steps[0]
            self._last = time.monotonic()
            self._pass_on(descriptor, before)
            data = after
            self._private.update(filter(_is_long, step.private))
            if step.answer:
                self.send(step.answer)
        last = len(data) if self.over else data.rfind(b"\n") + 1
        if len(data) - last > _LONGEST_LINE:
            # It may never end; a line of ours may begin in what came last.
            last = len(data) - _LONGEST_OF_OURS
        self._held[descriptor] = bytearray(data[last:])
        self._pass_on(descriptor, data[:last])
        return self.over

    def flush(self) -> None:
        """Pass on what has no end of line."""
        for descriptor, data in self._held.items():
            self._pass_on(descriptor, bytes(data))

    def _waits_for_the_entrypoint(self) -> bool:
        """Tell whether the next that is waited for is that the entrypoint hands over."""
        return bool(self._steps) and self._steps[0].line == greetings.asks(
            self._spec.name, greetings.FILES
        )

    def _pass_on(self, descriptor: int, data: bytes) -> None:
        """Pass on what is not a repetition: an entrypoint may print what it reads of our stdin."""
        self._repeats = self._repeats or self._question in data
        data = data.replace(self._question, b"").replace(self._lead.answer, b"")
        if self._private:
            data = self._without_private(data)
        if data:
            self._sink(descriptor, data)

    def _without_private(self, data: bytes) -> bytes:
        """Return lines without what is private; one may also be a part of that."""
        private = b"\n".join(self._private)
        lines = data.splitlines(keepends=True)
        data = b"".join(each for each in lines if not _is_long(each) or each.strip() not in private)
        for each in self._private:
            data = data.replace(each, MASK.encode())
        return data


def _is_long(text: bytes) -> bool:
    """Tell whether a text counts as repeated where it comes back."""
    return len(text.strip()) >= _SHORTEST_REPEATED
