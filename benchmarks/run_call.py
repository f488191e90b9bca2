"""A `run` call until it hands its script to the engine, which is a socket that takes it and ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.ordinary_job import SCRIPT_MARK, OrdinaryJob

_UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
_NOT_FOUND = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)
_PATIENCE_SECONDS = 20

# Writes what is loaded as each connection to the engine is made: the last one is the script's.
_WATCH = """\
import sys
def watch(event, args):
    if event == "socket.connect":
        with open({seen!r}, "w") as file:
            file.write("\\n".join(str(each.__file__) for name, each in sys.modules.items()
                if name.partition(".")[0] == "executor"))
sys.addaudithook(watch)
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""


class RunCall:
    """The call that runs the job author's script."""

    def __init__(self, hook: Path, job: OrdinaryJob) -> None:
        """Use an installed hook; the environment has what `config` gave."""
        self._arguments = [*job.arguments, str(job.script), "build_script"]
        self._hook = hook
        self._job = job

    def seconds(self) -> float:
        """Return how long a call takes until its script arrives."""
        return self._until_script([str(self._hook), *self._arguments])

    def loaded(self, python: Path) -> list[Path]:
        """Return the files of ours that a call has loaded when its script leaves."""
        seen = self._job.directory / "seen"
        program = _WATCH.format(seen=str(seen), args=["run", *self._arguments])
        self._until_script([str(python), "-I", "-c", program])
        return [Path(name) for name in seen.read_text(encoding="utf-8").split()]

    def _until_script(self, command: list[str]) -> float:
        address = self._job.directory / "engine.sock"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.bind(str(address))
            engine.listen(8)
            engine.settimeout(_PATIENCE_SECONDS)
            start = time.perf_counter()
            process = subprocess.Popen(
                command,
                env=self._job.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                while not _takes_script(engine):
                    pass
                return time.perf_counter() - start
            except TimeoutError:
                sys.exit("The run call sends no script; do the tests pass?")
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _takes_script(engine: socket.socket) -> bool:
    """Answer one connection; tell whether it brought the script.

    There is no sidecar: a call asks for it first and is told so.
    """
    connection, _ = engine.accept()
    with connection:
        connection.settimeout(_PATIENCE_SECONDS)
        if b"/attach" not in _receive_until(connection, b"\r\n\r\n"):
            connection.sendall(_NOT_FOUND)
            return False
        connection.sendall(_UPGRADED)
        _receive_until(connection, SCRIPT_MARK)
        return True


def _receive_until(connection: socket.socket, mark: bytes) -> bytes:
    received = b""
    while mark not in received:
        received += connection.recv(65536)
    return received
