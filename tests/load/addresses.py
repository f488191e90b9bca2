"""Many networks of jobs at once, by prepare's own code, on engines that nobody else uses.

`python -m tests.load.addresses` has 200 jobs make their networks at the same moment on an engine with
its default configuration, then has host routes and other networks in the way of every second choice,
two engines on one host, and a pool with room for three.  All happens in a network namespace of this
process, whose routes are the host's.  `--dockerd` names another engine's program.
"""

import argparse
import ipaddress
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from executor.engine.api import Api
from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable, ResourceExhausted
from executor.log import AdministratorLog
from executor.plan.inputs import Inputs
from executor.spec import Surroundings
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.steps import Steps
from tests.builders import some_inputs

Network = ipaddress.IPv4Network
UPLINK, SECOND_BRIDGE = "uplink", "second0"
COMMON = tuple(map(Network, (*(f"172.{each}.0.0/16" for each in range(16, 21)), "192.168.0.0/20")))
"""What compose files and scripts name."""
BLOCKS = tuple(Network(each) for each in ("172.16.0.0/12", "192.168.0.0/16"))
_LAYOUT = f"""
ip link set lo up
ip link add {UPLINK} type veth peer name {UPLINK}-peer
ip addr add 192.0.2.7/24 dev {UPLINK}
ip link set {UPLINK} up
ip link set {UPLINK}-peer up
ip route add default via 192.0.2.1
ip link add {SECOND_BRIDGE} type bridge
ip addr add 198.51.100.1/24 dev {SECOND_BRIDGE}
ip link set {SECOND_BRIDGE} up
"""
_ANSWER_SECONDS = 60
_END_SECONDS = 30
_ATTEMPTS = 3


class Log(AdministratorLog):
    """Counts how often a job has looked around."""

    def __init__(self) -> None:
        super().__init__("prepare")
        self.looks = 0

    def event(self, event: str, **_facts: object) -> None:
        """Count it, and keep nothing."""
        self.looks += event == "surroundings known"


@dataclass(slots=True)
class Tally:
    """What jobs came to."""

    seconds: float = 0.0
    subnets: list[Network] = field(default_factory=list)
    exhausted: list[str] = field(default_factory=list)
    again: int = 0
    """How many attempts an engine refused for another reason; gitlab-runner makes three."""
    looks: int = 0
    """How often they have looked around: once each, and once more for each choice that was lost."""
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, engine: Engine, inputs: Inputs) -> None:
        """Make one job's network, as three attempts of prepare do.

        Two engines of one host get in each other's way in its firewall.
        """
        log = Log()
        try:
            around = self._attempt(engine, inputs, log)
        except ResourceExhausted as error:
            with self._lock:
                self.exhausted.append(str(error))
            return
        except Exception as error:  # noqa: BLE001 (told by the command)
            with self._lock:
                self.faults.append(f"{type(error).__name__}: {error}")
            return
        with self._lock:
            self.looks += log.looks
            self.subnets += map(Network, around.own_subnets)
            if not around.in_reach:
                self.faults.append("the engine's host is not taken for this one")

    def _attempt(self, engine: Engine, inputs: Inputs, log: Log) -> Surroundings:
        for _ in range(_ATTEMPTS - 1):
            try:
                return JobNetwork(engine, inputs, Steps(log), lambda: "").surroundings()
            except EngineRefused:
                self.again += 1
        return JobNetwork(engine, inputs, Steps(log), lambda: "").surroundings()

    def told(self) -> str:
        """Return it as a line."""
        blocks = {each.supernet(new_prefix=_block_of(each)) for each in self.subnets}
        return (
            f"{len(self.subnets)} networks in {self.seconds:.1f} s, {self.looks} looks,"
            f" {self.again} more attempts, in"
            f" {', '.join(map(str, sorted(blocks)))}; {len(self.exhausted)} found none"
        )

    def check(self, expected: int, taken: Sequence[Network] = (), blocks: int = 0) -> None:
        """Note what is not as it must be."""
        ordered = sorted(self.subnets)
        pairs = [*itertools.pairwise(ordered)]
        pairs += [(one, other) for one in ordered for other in taken]
        self.faults += [f"{one} overlaps {other}" for one, other in pairs if one.overlaps(other)]
        if len(ordered) != expected:
            self.faults.append(f"{len(ordered)} networks, not {expected}")
        found = {each.supernet(new_prefix=_block_of(each)) for each in ordered}
        if blocks and len(found) > blocks:
            self.faults.append(f"{len(found)} of Docker's blocks, not {blocks}")


def _block_of(network: Network) -> int:
    return 16 if network.subnet_of(BLOCKS[0]) else 20


def at_once(jobs: Sequence[tuple[Engine, Inputs]]) -> Tally:
    """Have jobs make their networks at the same moment."""
    tally, started = Tally(), time.monotonic()
    gate = threading.Barrier(len(jobs))

    def make(engine: Engine, inputs: Inputs) -> None:
        gate.wait()
        tally.make(engine, inputs)

    threads = [threading.Thread(target=make, args=each) for each in jobs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    tally.seconds = time.monotonic() - started
    return tally


def jobs_of(count: int, settings: str = "", first: int = 1) -> list[Inputs]:
    """Return jobs with these settings, each with a key of its own."""
    inputs = some_inputs(settings=f'docker.certs_d = "/nowhere"\n{settings}')
    key = inputs.belonging.key.partition("-")[2]
    return [
        replace(inputs, belonging=inputs.belonging._replace(key=f"{number}-{key}"))
        for number in range(first, first + count)
    ]


@dataclass(frozen=True, slots=True)
class Running:
    """An engine of ours."""

    api: Api
    engine: Engine

    def clear(self) -> None:
        """Remove all networks that somebody made."""
        for each in self.networks():
            assert self.api.send("DELETE", f"/networks/{each['Id']}").ok

    def networks(self) -> list[dict[str, str]]:
        """Return what somebody made."""
        listed = self.api.get("/networks").json()
        assert isinstance(listed, list)
        return [each for each in listed if each["Name"] not in {"bridge", "host", "none"}]

    def add(self, name: str, subnet: Network) -> None:
        """Make a network that is no job's."""
        config = {"Config": [{"Subnet": str(subnet)}]}
        request = {"Name": name, "Driver": "bridge", "IPAM": config}
        assert self.api.post("/networks/create", request).ok


@contextmanager
def running(dockerd: str, directory: Path, *more: str) -> Iterator[Running]:
    """Run an engine with its default configuration in this network namespace."""
    directory.mkdir()
    (directory / "daemon.json").write_text("{}")
    socket = directory / "s"
    places = {
        "data-root": "root",
        "exec-root": "exec",
        "pidfile": "pid",
        "config-file": "daemon.json",
    }
    arguments = [f"--{flag}={directory / place}" for flag, place in places.items()]
    beside = str(Path(dockerd).parent) + ":" if "/" in dockerd else ""
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [dockerd, f"--host=unix://{socket}", *arguments, *more],
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": beside + os.environ["PATH"]},
        )
    try:
        api = Api(f"unix://{socket}")
        until = time.monotonic() + _ANSWER_SECONDS
        while not _answers(api):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit((directory / "log").read_text()[-3000:])
            time.sleep(0.1)
        engine = Engine(api)
        engine.connect()
        yield Running(api, engine)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_END_SECONDS)
        shutil.rmtree(directory, ignore_errors=True)


def _answers(api: Api) -> bool:
    try:
        return api.get("/_ping", timeout=5).ok
    except EngineUnavailable:
        return False


def many(here: Running, count: int) -> Tally:
    """Have so many jobs at once on an engine that has room for 30 networks of its own choice."""
    tally = at_once([(here.engine, each) for each in jobs_of(count)])
    tally.check(count, COMMON, blocks=1)
    return tally


def in_the_way(here: Running, count: int) -> Tally:
    """Have something of somebody else's in the place of every second network of a pool."""
    pool = Network("10.60.0.0/20")
    taken = list(pool.subnets(new_prefix=27))[: 2 * count : 2]
    for number, each in enumerate(taken):
        if number % 2:
            here.add(f"other-{number}", each)
        else:
            subprocess.run(["ip", "route", "add", str(each), "dev", UPLINK], check=True)
    # The second half of the range is there for nobody: jobs have to find the places between.
    base = Network(f"10.60.0.0/{pool.prefixlen + 7 - (2 * count - 1).bit_length()}")
    settings = f'docker.network_pool = ["{base}"]'
    tally = at_once([(here.engine, each) for each in jobs_of(count, settings)])
    tally.check(count, taken)
    for each in taken[::2]:
        subprocess.run(["ip", "route", "del", str(each)], check=True)
    return tally


def two_engines(here: Running, there: Running, count: int) -> Tally:
    """Have jobs on two engines of one host choose among few networks."""
    settings = f'docker.network_pool = ["10.61.0.0/{27 - (2 * count - 1).bit_length()}"]'
    jobs = jobs_of(2 * count, settings)
    engines = (here.engine, there.engine)
    tally = at_once([(engines[number % 2], each) for number, each in enumerate(jobs)])
    tally.check(2 * count)
    return tally


def pool_of_three(here: Running) -> Tally:
    """Have five jobs at once where three find room; when one of them has gone, another one does."""
    settings = 'docker.network_pool = ["10.62.0.0/26", "10.62.9.0/27"]'
    jobs = jobs_of(6, settings)
    tally = at_once([(here.engine, each) for each in jobs[:5]])
    tally.check(3)
    tally.faults += [each for each in tally.exhausted if "`[docker] network_pool`" not in each]
    if len(tally.exhausted) != 2:
        tally.faults.append(f"{len(tally.exhausted)} of five jobs found no room")
    assert here.api.send("DELETE", f"/networks/{here.networks()[0]['Id']}").ok
    after = at_once([(here.engine, jobs[5])])
    after.check(1)
    tally.faults += after.faults
    return tally


def inside(dockerd: str, count: int) -> list[str]:
    """Do everything, with half as many jobs where they share the host with others; return faults."""
    few = max(count // 6, 4)
    subprocess.run(["sh", "-ec", _LAYOUT], check=True)
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        with (
            running(dockerd, directory / "here") as here,
            running(dockerd, directory / "there", f"--bridge={SECOND_BRIDGE}") as there,
        ):
            parts: list[tuple[str, Callable[[], Tally]]] = [
                ("at once", lambda: many(here, count)),
                ("in the way", lambda: in_the_way(here, few)),
                ("two engines", lambda: two_engines(here, there, few)),
                ("a pool of three", lambda: pool_of_three(here)),
            ]
            faults = []
            for name, part in parts:
                tally = part()
                print(f"{name}: {tally.told()}", *tally.faults, sep="\n", flush=True)
                faults += tally.faults
                here.clear()
                there.clear()
            return faults


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.addresses")
    parser.add_argument("--networks", type=int, default=200, help="at once (default: 200)")
    parser.add_argument("--dockerd", default="dockerd", help="the engine's program")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(args)
    if given.inside:
        return 1 if inside(given.dockerd, given.networks) else 0
    command = [sys.executable, "-m", "tests.load.addresses", "--inside"]
    command += [f"--networks={given.networks}", f"--dockerd={given.dockerd}"]
    return subprocess.run(["unshare", "--net", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
