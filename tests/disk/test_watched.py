"""The note by which prepare tells `run` what to watch."""

import pytest

from executor.disk.limits import Limits
from executor.disk.watched import Watched
from executor.host.disk import Place


def test_the_note() -> None:
    """What prepare leaves is what run reads."""
    places = (Place("/data", "/proc/7/root/data", 2049),)
    left = Watched(places, Limits(1, 2, 3), "/proc/7/root", 1.5, ("v",), ("/c",), "/run/x")

    assert Watched.read(left.noted()) == left


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b"[1, 2, 3, 4, 5, 6, 7]"])
def test_another_versions_note(note: bytes) -> None:
    """It is told from one that can be read."""
    with pytest.raises((ValueError, TypeError)):
        Watched.read(note)
