"""`dind-executor doctor` on real engines: faults that only an engine can have, and a whole job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hooks import HOOKS
from tests.rig.state import Rig
from tests.stages.conftest import settings_text
from tests.stages.own_engine import own_engine
from tests.stages.witness import Witness

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def asked(*arguments: str) -> dict[str, Any]:
    """Return what doctor says, as its object."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "executor", "doctor", "--json", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        timeout=600,
    )
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    assert done.returncode == (0 if report["ok"] else 1)
    return report


def test_an_engine_with_two_faults(rig: Rig, witness: Witness, tmp_path: Path) -> None:
    """A storage driver that copies and a runtime that is not there are found, and what is right passes."""
    settings = tmp_path / "settings.toml"
    with own_engine(rig, witness, tmp_path / "e", arguments=["--storage-driver=vfs"]) as engine:
        settings.write_text(f'[docker]\nhost = "{engine.host}"\n[dind]\nruntime = "sysbox-runc"\n')
        ids = "engine-kind,engine-version,storage,runtime,subnets,modules"
        report = asked("--settings", str(settings), "--only", ids)

    found = {each["id"]: each for each in report["checks"]}
    assert [each for each in found if found[each]["level"] == "fail"] == ["storage", "runtime"]
    assert '"storage-driver": "overlay2"' in found["storage"]["remedy"]
    assert "install sysbox-runc" in found["runtime"]["remedy"]
    assert found["engine-version"]["level"] == "ok"
    # It is in a container, so that this host's kernel and routes say nothing of its own.
    assert found["modules"]["level"] == found["subnets"]["level"] == "skip"


def test_a_job_on_a_host_that_works(rig: Rig, witness: Witness, tmp_path: Path) -> None:
    """A real job builds and runs; its phases have seconds, and nothing is left of it."""
    settings = tmp_path / "settings.toml"
    settings.write_text(settings_text(rig, {"log": {"path": str(tmp_path / "log")}}))

    report = asked("--only", "as-job", "--hooks", str(HOOKS), "--settings", str(settings))

    assert report["ok"], report
    assert report["job"]["ok"] is True
    phases = [each["name"] for each in report["job"]["phases"]]
    wanted = ["config", "prepare", "get_sources", "docker version", "docker build", "docker run"]
    assert [each for each in phases if each in wanted] == wanted
    assert phases[-1] == "cleanup"
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    job = {each["job_id"] for each in events if each.get("event") == "removed"}
    assert len(job) == 1
    assert witness.objects(job.pop()) == []
