"""A Docker Engine that answers anything, and containers that print anything."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from executor.engine import images
from executor.engine.docker import Engine
from executor.engine.frames import Frames, Pieces
from executor.engine.start_failures import create_failure
from executor.log import complain, say
from executor.scripts.output import Output
from executor.services.dind import find_sidecar
from executor.services.health import Found, health_check
from executor.spec import Pull
from tests.engine.samples import DIGEST, FRESH, SPEC
from tests.load.fuzz.jobs import IMAGES
from tests.load.fuzz.mutations import Json, documents, texts, words
from tests.load.fuzz.target import Target, World, run_reader

_HEADS = (
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: LENGTH\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: LENGTH\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: LENGTH\r\n",
    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n",
)
_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{}]\n\r\n0\r\n\r\n"
_BODIES: list[Json] = [
    *IMAGES,
    FRESH,
    {"message": "no such container: x"},
    {"status": f"Digest: {DIGEST}", "errorDetail": {"message": "toomanyrequests"}, "error": "x"},
    {
        "ApiVersion": "1.41",
        "Version": "26.1.5",
        "Os": "linux",
        "Arch": "amd64",
        "MinAPIVersion": "1.24",
    },
    {
        "State": {
            "Running": True,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2026-01-01T00:00:00Z",
        },
        "NetworkSettings": {"Networks": {"a": {"IPAddress": "127.0.0.1", "GlobalIPv6Address": ""}}},
        "Config": {"Labels": {"dind-executor.transport": "tls"}},
    },
    [
        {
            "Id": "a",
            "Names": ["/a"],
            "Labels": {"dind-executor.job": "1-a"},
            "Mounts": [{"Name": "x"}],
        }
    ],
    {"IPAM": {"Config": [{"Subnet": "10.0.0.0/8", "Gateway": "10.0.0.1"}]}, "Options": {"a": "b"}},
    {"DefaultAddressPools": [{"Base": "10.0.0.0/8", "Size": 24}], "SecurityOptions": ["name=x"]},
]
_PULL = Pull("docker:dind", policies=("always",), platform="linux/amd64")

Ask = Callable[[Engine], object]
_QUESTIONS: dict[str, Ask] = {
    "connect": lambda engine: engine.connect(),
    "image": lambda engine: engine.image("docker:dind"),
    "pull": lambda engine: engine.pull(_PULL, "", say),
    "survey": lambda engine: engine.survey(),
    "inspect": lambda engine: Found(engine.inspect("a")),
    "sidecar": lambda engine: find_sidecar(engine, "a"),
    "running": lambda engine: engine.running_with("a"),
    "last": lambda engine: complain(engine.last_output("a", 5)[:99]),
    "create": lambda engine: engine.create(SPEC, images._image_facts(dict(FRESH), "a")),
    "succeeds": lambda engine: engine.succeeds("a", ("true",), 0.2),
    "wait": lambda engine: engine.exited_by_itself("a", engine.wait_for_exit("a", 0.2)),
}


class _Liar:
    """A daemon on a unix socket that gives everybody the same answer."""

    def __init__(self) -> None:
        self.answer = b""
        self.path = ""

    def serve(self, directory: Path) -> None:
        """Begin, unless that has been."""
        if self.path:
            return
        self.path = str(directory / "engine.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(16)
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(1 << 16)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass
                except OSError:
                    pass


_LIAR = _Liar()


def _ask(case: Json, world: World) -> None:
    assert isinstance(case, dict)
    _LIAR.serve(world.directory)
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    raw = body.encode(errors="surrogatepass")
    head = case["head"].replace("LENGTH", str(len(raw))).encode(errors="surrogatepass")
    _LIAR.answer = head + b"\r\n" + raw
    images.time.sleep = lambda _seconds: None  # type: ignore[attr-defined]
    engine = Engine.at(f"unix://{_LIAR.path}", "", tls_verify=False)
    run_reader(world, lambda: _QUESTIONS[case["question"]](engine))


def _bodies() -> st.SearchStrategy[Json]:
    lines = "".join(json.dumps(each) + "\n" for each in _BODIES[3:5])
    return st.one_of(documents(_BODIES), texts([*map(json.dumps, _BODIES), lines, _CHUNKED]))


def _print(case: Json, _world: World) -> None:
    """Take what a container prints: frames, in which a keeper speaks, or a script that apes it."""
    assert isinstance(case, list)
    heard: list[int] = []
    output = Output("nonce", lambda _descriptor, data: heard.append(len(data)))
    data = b""
    for kind, length, text in case:
        raw = text.encode("latin-1", "replace").replace(b"NONCE", b"\0nonce")
        data += (
            bytes([kind, 0, 0, 0])
            + (len(raw) if length is None else length).to_bytes(4, "big")
            + raw
        )
    Frames(Pieces(iter([data[:7], data[7:900], data[900:], b""])), output).copy()
    output.settle()
    assert output.exit_code is None or 0 <= output.exit_code <= 999


_SAID = (
    "NONCE 1 begins\n",
    "NONCE 2 begins\n",
    "NONCE 1 0\n",
    "NONCE 2 9 left\n",
    "NONCE 1 untaken\n",
)


def _frames() -> st.SearchStrategy[Json]:
    frame = st.tuples(
        st.sampled_from((1, 2, 1, 2, 0, 255)),
        st.sampled_from((None, None, None, None, 0, 5, 2**32 - 1)),
        texts(_SAID),
    )
    return st.lists(frame.map(list), max_size=8)


_REFUSALS = (
    'OCI runtime create failed: exec: "sh": executable file not found in $PATH: unknown',
    "unable to find user x: no matching entries in passwd file",
    "no space left on device",
    "Error response from daemon: invalid mount config for type",
)


def _refuse(case: Json, world: World) -> None:
    """Make an error of an engine's refusal, which quotes what a job has said."""
    assert isinstance(case, list)
    message, image = case
    for name, status in (("job-build", 400), ("job-dind", 500)):

        def refused(name: str = name, status: int = status) -> None:
            raise create_failure(name, image, status, message, runs_scripts=status == 400)

        world.empty()
        run_reader(world, refused)


def _check(case: Json, _world: World) -> None:
    """Look at the ports and the environment of a service's image."""
    assert isinstance(case, dict)
    health_check(SPEC, images._image_facts(case, "a"), "a")


TARGETS = (
    Target(
        "engine",
        st.fixed_dictionaries(
            {
                "question": st.sampled_from(sorted(_QUESTIONS)),
                "head": st.one_of(st.sampled_from(_HEADS), texts(_HEADS)),
                "body": _bodies(),
            }
        ),
        _ask,
    ),
    Target("output", _frames(), _print),
    Target("refusals", st.tuples(texts(_REFUSALS), words()).map(list), _refuse),
    Target(
        "ports",
        documents(IMAGES).filter(lambda each: isinstance(each, dict)),
        _check,
    ),
)
