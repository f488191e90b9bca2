"""What is heard on a container's streams: an entrypoint's words pass, and lines for us do not."""

import socket

import pytest

from executor.engine.frames import Sink
from executor.engine.talk import Step, Talk
from executor.engine.wire import Reader
from executor.shell.serving import READY
from tests.engine.samples import SPEC
from tests.limited import limited

LONG = b"x" * (1 << 20)
READY_LINE = f"{READY}\n".encode()


def until_ready_of(sink: Sink) -> Talk:
    """Return what waits for the keeper's last line alone."""
    here, there = socket.socketpair()
    here.close()
    there.close()
    return Talk(SPEC, Reader(here), 5.0, [Step(READY_LINE)], sink)


@pytest.mark.parametrize("cut", [1, len(READY) // 2, len(READY)])
def test_a_line_without_an_end_is_not_kept(cut: int) -> None:
    """It passes in parts, and the keeper's own line behind it is found, however that comes."""
    passed: list[bytes] = []
    until_ready = until_ready_of(lambda _, data: passed.append(data))
    ready = f"{READY}\n".encode()

    assert not until_ready(1, LONG + ready[:cut])
    assert sum(map(len, passed)) > len(LONG) // 2
    assert until_ready(1, ready[cut:])
    until_ready.flush()
    assert b"".join(passed) == LONG


def test_the_keepers_line_may_come_on_stderr() -> None:
    """An entrypoint may have led its stdout there."""
    passed: list[tuple[int, bytes]] = []
    until_ready = until_ready_of(lambda *piece: passed.append(piece))

    assert not until_ready(2, b"of the entrypoint\n")
    assert until_ready(2, f"{READY}\n".encode())
    assert passed == [(2, b"of the entrypoint\n")]


def test_a_line_without_an_end_that_comes_byte_by_byte() -> None:
    """What an entrypoint prints is not looked at again from its beginning with each byte of it."""
    assert (
        limited("""
from executor.engine.talk import Step, Talk
from executor.spec import ContainerSpec
heard = []
spec = ContainerSpec(name="job-build", image="x", labels={}, network="")
talk = Talk(spec, None, 1000, [Step(b"never\\n")], lambda _descriptor, data: heard.append(len(data)))
for _ in range(600_000):
    talk(1, b"x")
talk.flush()
print(sum(heard))
""")
        == "600000\n"
    )
