"""What `python -m benchmarks.scale.measuring` measures without jobs: a mirror, scrapes, fleet commands."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as families

from benchmarks.scale.counting import counting_registry
from tests import toml
from tests.gitlab.registry import Manager
from tests.gitlab.server import GitLab, serving
from tests.load.metrics import leave_jobs
from tests.rig import authority
from tests.rig.state import Rig
from tests.web import Request, direct

_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_IMAGE = "library/docker"
_HEADS, _AT_ONCE = 4000, 8
_TICKS = os.sysconf("SC_CLK_TCK")
_JOBS = 200
_RUNNERS, _MANAGERS = 500, 3


def mirror(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what one process of a pull-through registry serves, by its processor time."""
    with (
        counting_registry(rig) as upstream,
        _pull_through(rig, upstream.host, directory) as (url, pid),
    ):
        manifest = f"{url}/v2/{_IMAGE}/manifests/26.1-cli"
        opener = direct()
        opener.addheaders = [("Accept", _TYPE)]
        with opener.open(manifest) as answer:
            described = json.load(answer)
        layer = max(described["layers"], key=lambda each: int(each["size"]))
        blob = f"{url}/v2/{_IMAGE}/blobs/{layer['digest']}"
        with opener.open(blob) as answer:
            answer.read()
        time.sleep(1)  # the blob is being written for others
        upstream.take()
        heads = _bench(pid, _HEADS, ["-i", "-H", f"Accept: {_TYPE}", manifest])
        asked = upstream.take()
        blobs = _bench(pid, 40, [blob])
        return {
            "HEAD manifest": {**heads, "upstream": asked},
            "GET blob": {**blobs, "bytes": layer["size"], "upstream": upstream.take()},
        }


def _bench(pid: int, times: int, arguments: list[str]) -> dict[str, float]:
    before = _processor(pid)
    command = ["ab", "-q", "-k", "-n", str(times), "-c", str(_AT_ONCE), *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (rate,) = re.findall(r"Requests per second:\s+([\d.]+)", said)
    (failed,) = re.findall(r"Failed requests:\s+(\d+)", said)
    assert failed == "0", said
    assert "Non-2xx" not in said, said
    return {
        "a second here": float(rate),
        "processor seconds of one": round((_processor(pid) - before) / times, 6),
    }


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS


@contextlib.contextmanager
def _pull_through(rig: Rig, upstream: str, directory: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / "mirror")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "proxy": {"remoteurl": f"https://{upstream}"},
    }
    path = directory / "mirror.json"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    ca = authority.ensure(rig.address).ca
    process = subprocess.Popen(
        ["docker-registry", "serve", str(path)],
        env={**os.environ, "SSL_CERT_FILE": str(ca), "OTEL_TRACES_EXPORTER": "none"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def scrape(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what Prometheus reads of a host that has run jobs of all kinds."""
    state = directory / "state"
    state.mkdir()
    with contextlib.redirect_stdout(None):
        leave_jobs(str(state / "spool"), 1, _JOBS)
    settings = directory / "settings.toml"
    tables = {"docker": {"host": rig.engine_host}, "sweep": {"state_dir": str(state)}}
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    file = directory / "metrics.prom"
    command = [sys.executable, "-m", "executor", "metrics", "--settings", str(settings)]
    subprocess.run([*command, "--textfile", str(file)], check=True, capture_output=True)
    text = file.read_text(encoding="utf-8")
    samples = [sample for family in families(text) for sample in family.samples]
    return {"bytes": len(text), "series": len(samples)}


def fleet(rig: Rig, directory: Path) -> Mapping[str, object]:
    """Return what `fleet audit` asks GitLab for: of many runners, and of one with many hosts."""
    del rig
    found: dict[str, object] = {}
    for name, runners, managers in (
        (f"{_RUNNERS} runners with {_MANAGERS} hosts each", _RUNNERS, _MANAGERS),
        ("1 runner with 1000 hosts", 1, 1000),
        ("1 runner with 10000 hosts", 1, 10000),
    ):
        with serving(directory / name.replace(" ", "-")) as gitlab:
            _fill(gitlab, runners, managers)
            asked: list[Request] = []
            gitlab.mood = asked.append
            command = [sys.executable, "-m", "executor", "fleet", "audit", "--url", gitlab.url]
            token = gitlab.registry.add_user({"read_api"}, is_admin=True)
            begun = time.monotonic()
            done = subprocess.run(
                ["/usr/bin/env", "-", f"GITLAB_TOKEN={token}", *command, "--instance", "--json"],
                check=False,
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            assert done.returncode in (0, 1), done.stderr
            found[name] = {
                "requests": len(asked),
                "seconds": round(time.monotonic() - begun, 1),
            }
    return found


def _fill(gitlab: GitLab, runners: int, managers: int) -> None:
    gitlab.registry.rows.clear()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for number in range(runners):
        row = gitlab.registry.add(
            {"description": f"runner-{number}", "tag_list": ("docker",), "run_untagged": False}
        )
        for each in range(managers):
            system_id = f"s_{number:04x}{each:06x}"
            row.managers[system_id] = Manager(
                gitlab.registry.next_id(),
                system_id,
                {"version": "19.3.0"},
                now,
                f"10.{number % 250}.{each // 250}.{each % 250}",
            )
