"""Requests whose answer nobody waits for."""

import threading
from pathlib import Path

from executor.engine.api import Api
from executor.engine.telling import tell
from tests.engine.stub import Connection, Received, StubEngine
from tests.patience import LONGEST_SECONDS


def test_the_engine_hears_all_and_nobody_waits(stub: StubEngine) -> None:
    """Who has told it something is gone before the engine has done anything."""
    is_gone, has_acted = threading.Event(), threading.Event()

    def act(_connection: Connection, _received: Received) -> None:
        assert is_gone.wait(LONGEST_SECONDS)
        has_acted.set()

    stub.on("POST", "/networks/net/disconnect", act)

    stub.engine().begin_to_disconnect("ours", "net")
    is_gone.set()
    assert has_acted.wait(LONGEST_SECONDS)

    (heard,) = stub.asked("POST", "/networks/net/disconnect")
    assert heard.json() == {"Container": "ours", "Force": True}


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    """Cleanup does it then, and says what is wrong."""
    tell(Api(f"unix://{tmp_path}/none"), "/networks/net/disconnect", {})
