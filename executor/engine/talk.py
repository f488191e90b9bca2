"""What is said on a container's streams until it has all its files."""

import time
from collections.abc import Callable

from executor.engine.frames import Frames, Sink
from executor.engine.wire import Reader
from executor.shell import greetings
from executor.spec import ContainerSpec

_LONGEST_LINE = 256 * 1024
_LONGEST_OF_OURS = 1024
_LEAD_SECONDS = 1.0
"""How long an entrypoint may take before it is asked whether it is a shell that reads its stdin."""
_LOOKS_SECONDS = (8.0, 10.0, 20.0, 22.0, 60.0, 62.0)
"""How long an entrypoint may take before somebody looks whether it still can hand over."""
_LOOKS_IN_A_ROW = 2

Step = tuple[bytes, bytes]
"""A line that a container prints, and what it is sent for that."""


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
        self._since = time.monotonic()
        self._deadline = self._since + seconds
        self._steps = steps
        self._sink = sink
        self._asked = False
        self._held: dict[int, bytes] = {}
        self._question = greetings.question(spec.name)
        self._answer = greetings.reads_commands(spec.name)
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
        looks = list(_LOOKS_SECONDS)
        lost = 0
        while True:
            due = self._deadline
            if dropped and self._waits_for_the_entrypoint():
                if not self._asked:
                    due = min(due, self._since + _LEAD_SECONDS)
                elif looks:
                    due = min(due, self._since + looks[0])
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
                    continue
                del looks[0]
                lost = lost + 1 if dropped() else 0
                if lost == _LOOKS_IN_A_ROW:
                    return False

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
        data = self._held.pop(descriptor, b"") + data
        while self._steps:
            # On either stream: an entrypoint may have led one into the other.
            line, answer = self._steps[0]
            at = data.find(line)
            if at < 0 and self._may_lead:
                line, answer = self._answer, greetings.leading(self._spec.command)
                at = data.find(line)
            if at < 0:
                break
            if line is self._answer:
                self._may_lead = False
            else:
                del self._steps[0]
                self._since = time.monotonic()
            self._pass_on(descriptor, data[:at])
            data = data[at + len(line) :]
            if answer:
                self.send(answer)
        last = len(data) if self.over else data.rfind(b"\n") + 1
        if len(data) - last > _LONGEST_LINE:
            # It may never end; a line of ours may begin in what came last.
            last = len(data) - _LONGEST_OF_OURS
        self._held[descriptor] = data[last:]
        self._pass_on(descriptor, data[:last])
        return self.over

    def flush(self) -> None:
        """Pass on what has no end of line."""
        for descriptor, data in self._held.items():
            self._pass_on(descriptor, data)

    def _waits_for_the_entrypoint(self) -> bool:
        """Tell whether the next that is waited for is that the entrypoint hands over."""
        return bool(self._steps) and self._steps[0][0] == greetings.asks(
            self._spec.name, greetings.FILES
        )

    def _pass_on(self, descriptor: int, data: bytes) -> None:
        # A program that prints what it reads says our question again.
        data = data.replace(self._question, b"")
        if data:
            self._sink(descriptor, data)
