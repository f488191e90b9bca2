"""What an entrypoint prints before it hands over to the keeper."""

import pytest

from executor.engine.handover import _UntilReady
from executor.engine.keeper import READY

LONG = b"x" * (1 << 20)


@pytest.mark.parametrize("cut", [1, len(READY) // 2, len(READY)])
def test_a_line_without_an_end_is_not_kept(cut: int) -> None:
    """It passes in parts, and the keeper's own line behind it is found, however that comes."""
    passed: list[bytes] = []
    until_ready = _UntilReady(lambda _, data: passed.append(data))
    ready = f"{READY}\n".encode()

    assert not until_ready(1, LONG + ready[:cut])
    assert sum(map(len, passed)) > len(LONG) // 2
    assert until_ready(1, ready[cut:])
    until_ready.flush()
    assert b"".join(passed) == LONG
