"""What `python -m benchmarks.scale.measuring` measures with jobs."""

import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker

from benchmarks import places
from benchmarks.scale.counting import CountingRegistry, counting_registry
from benchmarks.scale.working import CHECK_INTERVAL, Place, settings, working
from tests.gitlab import runner
from tests.rig.state import Rig

_WAIT = "until docker info >/dev/null 2>&1; do sleep 0.1; done"
_ECHO = "job:\n  image: {client}\n  script: [echo hello]\n"
_MINUTE = "job:\n  image: {client}\n  script: [echo hello, sleep 65]\n"
_TALK = (
    "job:\n  image: {client}\n  script:\n"
    "    - i=0; while [ $i -lt 65 ]; do echo line $i; sleep 1; i=$((i+1)); done\n"
)
_BUILD = (
    "job:\n  image: {client}\n  services: ['{dind}']\n  script:\n    - " + _WAIT + "\n"
    "    - printf 'FROM {base}\\nRUN echo built\\n' | docker build -t built -\n"
    "    - docker run --rm built true\n"
)
_PULL = "job:\n  image: {client}\n  services: ['{dind}']\n  script: ['" + _WAIT + "'{pulls}]\n"
JOBS = {"echo": _ECHO, "build": _BUILD, "minute, silent": _MINUTE, "minute, a line a second": _TALK}
DINDS = {"20.10": "docker:20.10.16-dind", "26.1": "docker:26.1-dind", "29": "docker:extra-dind"}
_TIMES = 4
_JOBS, _HOSTS, _SLOTS, _SEED = 40, 3, 2, 15


def _texts(
    registry: CountingRegistry, dind: str = DINDS["26.1"], pulls: str = ""
) -> dict[str, str]:
    words = {
        "client": f"{registry.host}/library/docker:26.1-cli",
        "dind": f"{registry.host}/library/{dind}",
        "base": f"{registry.host}/library/alpine",
        "pulls": pulls,
    }
    return {name: text.format(**words) for name, text in {**JOBS, "pull": _PULL}.items()}


@contextlib.contextmanager
def _place(
    rig: Rig, directory: Path, registry: CountingRegistry, trace_seconds: int = 3
) -> Iterator[Place]:
    directory.mkdir()
    table = runner.custom(settings(rig, registry, directory))
    with working(rig, table, directory / "place", trace_seconds=trace_seconds) as place:
        place.finish([place.start(_texts(registry)["build"])])  # the host knows the images now
        registry.take()
        yield place


def jobs(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what a job asks GitLab and the registry for, mean of some, on a host that knows its images."""
    found: dict[str, object] = {}
    with counting_registry(rig) as registry:
        texts = _texts(registry)
        for trace_seconds in (3, 60):
            looked = "looked at" if trace_seconds == 3 else "not looked at"
            with _place(
                rig, directory / looked.replace(" ", "-"), registry, trace_seconds
            ) as place:
                for name in JOBS:
                    times = 1 if "minute" in name else _TIMES
                    found[f"{name}, {looked}"] = _one(place, registry, texts[name], times)
    return found


def _one(place: Place, registry: CountingRegistry, text: str, times: int) -> dict[str, object]:
    log, spool = (
        place.directory.parent / name for name in ("log.jsonl", "state/spool/events.jsonl")
    )
    noted = [path.stat().st_size if path.exists() else 0 for path in (log, spool)]
    place.gitlab.counts.clear()
    place.gitlab.sent.clear()
    pid = place.runners[0].process.pid
    before = places.runner_seconds(pid)
    seconds = []
    for _ in range(times):
        job = place.start(text)
        place.finish([job])
        seconds.append(round(job.seconds, 2))
    processor = places.runner_seconds(pid) - before
    asked = registry.take()
    ends = [path.stat().st_size if path.exists() else 0 for path in (log, spool)]
    return {
        "times": times,
        "seconds": seconds,
        "gitlab": {kind: n / times for kind, n in sorted(place.gitlab.counts.items())},
        "gitlab bytes": {kind: n // times for kind, n in sorted(place.gitlab.sent.items())},
        "registry": {
            who: {kind: n / times for kind, n in counts.items()} for who, counts in asked.items()
        },
        "log bytes": (ends[0] - noted[0]) // times,
        "spool bytes": (ends[1] - noted[1]) // times,
        "runner's processor seconds": round(processor / times, 3),
    }


def pulls(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what one `docker pull` in a fresh dind asks for, and the same pull once more."""
    found: dict[str, object] = {}
    with counting_registry(rig) as registry, _place(rig, directory / "pulls", registry) as place:
        for name, dind in DINDS.items():
            asked = []
            for count in (0, 1, 2):
                pull = f", 'docker pull {registry.host}/library/docker:26.1-cli'" * count
                place.finish([place.start(_texts(registry, dind, pull)["pull"])])
                asked.append(_in_all(registry.take()))
            none, first, both = asked
            found[name] = {
                "cold": _less(first, none),
                "unchanged": _less(both, first),
            }
    return found


def _in_all(asked: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return what was asked for by anybody: the host's engine asks for the same in each job."""
    found: Counter[str] = Counter()
    for counts in asked.values():
        found.update(counts)
    return dict(found)


def _less(more: Mapping[str, int], less: Mapping[str, int]) -> dict[str, int]:
    return {
        kind: count - less.get(kind, 0) for kind, count in more.items() if count != less.get(kind)
    }


def idle(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return how often a host without jobs asks, at once answered and with long polling."""
    found: dict[str, object] = {"check_interval": CHECK_INTERVAL}
    for name, poll_seconds, watched in (("answered at once", 0.0, 61), ("held 50 s", 50.0, 159)):
        table = runner.shell(directory / "shell")
        place_directory = directory / name.replace(" ", "-")
        with working(rig, table, place_directory, concurrent=4, poll_seconds=poll_seconds) as place:
            time.sleep(watched)
            count = place.gitlab.counts["idle"]
            found[name] = {
                "requests": count,
                "seconds": watched,
                "bytes": place.gitlab.sent["idle"] // max(count, 1),
            }
    return found


def memory(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what the containers of a job take, and the programs beside them, in bytes."""
    found: dict[str, object] = {}
    with counting_registry(rig) as registry:
        for name, dind in DINDS.items():
            home = directory / name
            with _place(rig, home, registry) as place:
                text = _texts(registry, dind)["build"]
                text = text.replace(
                    "  script:\n", "  script:\n    - sleep 4; echo at-''rest; sleep 6\n"
                )
                text += "    - sleep 1; echo after-''build; sleep 6\n"
                job = place.start(text)
                job.wait_for("at-rest")
                rest = _memory(rig, job.id)
                job.wait_for("after-build")
                found[name] = {"at rest": rest, "after a small build": _memory(rig, job.id)}
                place.finish([job])
    return found


def _memory(rig: Rig, job_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    with contextlib.closing(client):
        for each in client.containers():
            labels = each["Labels"]
            if not labels.get("com.gitlab.gitlab-runner.job.url", "").endswith(f"/{job_id}"):
                continue
            stats = client.stats(each["Id"], stream=False, one_shot=True)["memory_stats"]
            inside = stats["stats"]
            files = inside.get("inactive_file", inside.get("total_inactive_file", 0))
            role = re.sub(r".*-(?=[a-z])", "", each["Names"][0].strip("/")) or each["Names"][0]
            found[role] = stats["usage"] - files
            found["shims"] = found.get("shims", 0) + _shim(each["Id"])
    return found


def _shim(container: str) -> int:
    """Return what the program of containerd takes that holds a container, in bytes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"shim" in words[0] and container.encode() in words:
                rollup = path.with_name("smaps_rollup").read_text(encoding="utf-8")
                return int(rollup.partition("Pss:")[2].split()[0]) * 1024
    return 0


def queue(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return when jobs arrived, were handed out and ended, with some hosts behind one token."""
    draw = random.Random(_SEED)
    with counting_registry(rig) as registry:
        home = directory / "queue"
        home.mkdir()
        table = runner.custom(settings(rig, registry, home))
        text = _texts(registry)["echo"]
        with working(rig, table, home / "place", hosts=_HOSTS, concurrent=_SLOTS) as place:
            place.finish([place.start(text)])
            place.gitlab.counts.clear()
            begun = time.monotonic()
            started = []
            for number in range(_JOBS):
                seconds = 1 + draw.expovariate(1 / 6)
                wait = text.replace("echo hello", f"echo hello, sleep {seconds:.2f}")
                started.append((time.monotonic() - begun, place.start(wait)))
                time.sleep(draw.expovariate(1 / 1.6) if number < _JOBS - 1 else 0)
            place.finish([job for _, job in started])
            ended = time.monotonic() - begun
            counts = dict(place.gitlab.counts)
    return {
        "hosts": _HOSTS,
        "slots": _SLOTS,
        "check_interval": CHECK_INTERVAL,
        "seconds": round(ended, 2),
        "requests": {kind: counts.get(kind, 0) for kind in ("job", "idle")},
        "jobs": [
            [
                round(arrived, 3),
                round(job.handed_out_at - begun, 3),
                round(job.finished_at - begun, 3),
            ]
            for arrived, job in started
        ],
    }
