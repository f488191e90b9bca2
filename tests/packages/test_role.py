"""The Ansible role: read by Ansible, and its part about config.toml run on this machine.

`tests.load.ansible_role` runs all of it on a host with systemd.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.packages import ROOT

ROLE = ROOT / "deploy/ansible/dind_executor"
TOKEN = "glrt-abcdefghijklmnopqrst"
OTHERS = '# concurrent jobs\nconcurrent = 3\n\n[[runners]]\n  name = "other"  # stays\n'
PLAYBOOK = {
    "hosts": "localhost",
    "connection": "local",
    "gather_facts": False,
    "tasks": [{"include_role": {"name": str(ROLE), "tasks_from": "runner.yml"}}],
}
ENVIRON = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_NOCOWS": "1"}


def ansible(directory: Path, *args: str) -> str:
    """Return what Ansible says, or fail."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,"]
    done = subprocess.run(
        [*command, *args],
        env={**ENVIRON, "ANSIBLE_HOME": str(directory / "ansible")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def play(directory: Path, config: Path, **variables: object) -> str:
    """Apply the role's part about config.toml; return what Ansible says, without the token."""
    playbook = directory / "site.yml"
    playbook.write_text(json.dumps([PLAYBOOK]))
    known = {
        "ansible_python_interpreter": sys.executable,
        "dind_executor_runner_config": str(config),
        "dind_executor_runner_name": "dind-executor",
        "dind_executor_runner_url": "https://gitlab.example.com",
        "dind_executor_runner_token": TOKEN,
        **{f"dind_executor_runner_{name}": value for name, value in variables.items()},
    }
    (directory / "known.json").write_text(json.dumps(known))
    said = ansible(directory, "--extra-vars", f"@{directory / 'known.json'}", str(playbook))
    assert TOKEN not in said
    return said


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(OTHERS)
    path.chmod(0o600)
    return path


def test_the_runner_is_written_once_and_kept(config: Path, tmp_path: Path) -> None:
    """Beside what is there, with the values of the sample; a change changes it in place."""
    sample = (ROOT / "config.toml.example").read_text(encoding="utf-8")
    (wanted,) = tomllib.loads(sample)["runners"]

    assert "changed=1" in play(tmp_path, config)
    first = config.read_text()
    assert first.startswith(OTHERS)
    assert tomllib.loads(first)["runners"][1:] == [{**wanted, "token": TOKEN}]
    assert "changed=0" in play(tmp_path, config)

    name, keys = 'the "new" one ☃', {"limit": 2, "environment": ["A=1"]}
    assert "changed=1" in play(tmp_path, config, name=name, keys=keys)
    text = config.read_text(encoding="utf-8")
    (_, changed) = tomllib.loads(text)["runners"]
    assert changed == {**wanted, "token": TOKEN, "name": name, **keys}
    assert text.startswith(OTHERS)
    assert config.stat().st_mode & 0o777 == 0o600
    backups = {each.read_text() for each in tmp_path.glob("config.toml.*")}
    assert backups == {OTHERS, first}


def test_a_runner_without_marks_stays(config: Path, tmp_path: Path) -> None:
    """`register` has written it, or gitlab-runner, which leaves comments out; the role says so."""
    config.write_text(f'[[runners]]\n  name = "there"\n  token = "{TOKEN}"\n')
    before = config.read_bytes()

    said = play(tmp_path, config)

    assert "changed=0" in said
    assert "outside of this role's marks: the runner stays as it is." in " ".join(said.split())
    assert config.read_bytes() == before


def test_a_token_that_was_rotated_stays(config: Path, tmp_path: Path) -> None:
    """`fleet rotate` has written it between the marks: the one that the role knows is dead."""
    play(tmp_path, config)
    config.write_text(config.read_text().replace(TOKEN, "glrt-another-one-another"))
    before = config.read_bytes()

    said = play(tmp_path, config)

    assert "changed=0" in said
    assert "has another token between this role's marks" in " ".join(said.split())
    assert config.read_bytes() == before
    assert "changed=0" in play(tmp_path, config, token="glrt-another-one-another")
    assert config.read_bytes() == before


def test_the_role_is_read_by_ansible(tmp_path: Path) -> None:
    """Its variables, its tasks and what they notify."""
    playbook = tmp_path / "all.yml"
    playbook.write_text(json.dumps([{"hosts": "all", "roles": [str(ROLE)]}]))

    assert "playbook: " in ansible(tmp_path, "--syntax-check", str(playbook))
