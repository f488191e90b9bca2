"""The Ansible role on a host with systemd: looked at, applied, applied again, changed.

`python -m tests.load.ansible_role DIST` takes the deb of a directory that `.ci/package` has filled, and
a Debian root in a container of the rig's engine, as `tests.load.first_job` makes it. Ansible runs in
there. A run with `--check` must change nothing, the second run neither, and a third with other variables
only the runner.
"""

import argparse
import json
import re
import sys
import tempfile
import tomllib
from pathlib import Path

from deploy.packages import ROOT
from executor import __version__
from tests.load.first_job import Host, booted, call, root
from tests.rig import state

_CONFIG = "/etc/gitlab-runner/config.toml"
_BEFORE = "# ours\nconcurrent = 2\n"
_TOKEN = "glrt-abcdefghijklmnopqrst"
_FILES = (
    "find /etc /opt /usr /var/cache/dind-executor /var/lib/dind-executor -type f -printf '%p %s %m %T@\\n'"
    " 2>/dev/null | sort; systemctl list-units --all --no-legend --plain 'dind-executor*' || true"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_RECAP = re.compile(r"changed=(\d+) +unreachable=0 +failed=0")
_PYTHON = "3.11"  # of Debian 12


def play(host: Host, *options: str, **more: object) -> int:
    """Apply the role; return how many changes Ansible has made."""
    variables = {
        "dind_executor_package": f"/root/dist/dind-executor_{__version__}_amd64.deb",
        "dind_executor_settings": '[log]\nlevel = "info"\n',
        "dind_executor_runner_url": "https://gitlab.example.com",
        "dind_executor_runner_token": _TOKEN,
        **more,
    }
    host.write("/root/variables.json", json.dumps(variables))
    command = (
        "LC_ALL=C.UTF-8 PYTHONPATH=/root/modules python3 -m ansible playbook --connection local"
    )
    said = host.run(
        f"{command} -i localhost, -e @/root/variables.json {' '.join(options)} /root/site.yml"
    )
    found = _RECAP.search(said)
    assert found, said
    assert _TOKEN not in said, said
    print(f"{' '.join(options) or 'a run'}: {found[0]}", flush=True)
    return int(found[1])


def try_role(host: Host, dist: Path, modules: Path) -> None:
    """Go through the runs; raises AssertionError."""
    host.put(modules, "/root/modules")
    host.put(ROOT / "deploy/ansible/dind_executor", "/root/dind_executor")
    host.run("mkdir /root/dist")
    package = f"dind-executor_{__version__}_amd64.deb"
    host.put(dist / package, f"/root/dist/{package}")
    host.write("/root/site.yml", json.dumps([{"hosts": "all", "roles": ["dind_executor"]}]))
    host.write(_CONFIG, _BEFORE)

    before = host.run(_FILES)
    assert play(host, "--check") > 0
    assert host.run(_FILES) == before, "a run with --check has changed something"

    assert play(host) > 0
    version = host.run("dind-executor --version").split()[-1]
    assert version == __version__, version
    for timer in ("reap", "prune", "doctor"):
        shown = host.run(f"systemctl is-active dind-executor-{timer}.timer").split()
        assert shown == ["active"], shown
    first = host.run(f"cat {_CONFIG}")
    assert first.startswith(_BEFORE), first
    assert len(tomllib.loads(first)["runners"]) == 1, first
    files = host.run(_FILES)
    assert play(host) == 0, "the second run has changed something"
    assert host.run(_FILES) == files

    keys = {"limit": 3, "environment": ["A=1"]}
    assert play(host, dind_executor_runner_keys=keys) == 1
    text = host.run(f"cat {_CONFIG}")
    (runner,) = tomllib.loads(text)["runners"]
    assert text.startswith(_BEFORE), text
    assert runner["limit"] == keys["limit"], text
    assert play(host, dind_executor_runner_keys=keys) == 0
    listed = _COLOURS.sub("", host.run(f"gitlab-runner list --config {_CONFIG} 2>&1"))
    assert "Executor=custom" in listed, listed


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dist", type=Path)
    given = parser.parse_args()
    tar = root("bookworm", has_python=True, added=("python3-apt",))
    with tempfile.TemporaryDirectory() as directory:
        modules = Path(directory) / "modules"
        only = ("--only-binary=:all:", "--implementation=cp", f"--python-version={_PYTHON}")
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        call(*pip, "install", *only, "--target", modules, "ansible-core")
        with booted(state.load(), tar) as host:
            try_role(host, given.dist.absolute(), modules)
    print("The second run has changed nothing, and other variables only the runner.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
