"""Programs of a runner host, as small shell scripts that note their calls."""

from collections.abc import Mapping
from pathlib import Path

_RUNNER = """\
#!/bin/sh
echo "$*" >>{calls}
if env | grep -q '^CI_SERVER_TOKEN=\\|^GITLAB_TOKEN='; then echo LEAK >>{calls}; fi
case $1 in
    --version) printf 'Version:      %s\\n' {version} ;;
    list)
        echo 'Runtime platform  arch=amd64' >&2
        sed -n 's/^  name = "\\(.*\\)"$/\\1                     Executor=custom Token=x/p' "$3" >&2 ;;
    lint) {lint} ;;
    verify) {verify} ;;
esac
"""
_SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>{calls}
case "$1" in
    is-active) exit {inactive} ;;
    enable) {enable} ;;
    show) echo 'ExecStart={{ path=/usr/bin/gitlab-runner ; argv[]=/usr/bin/gitlab-runner run --config {config} ; }}' ;;
esac
"""
VALID = 'echo "Verifying runner... is valid   runner=0123" >&2'
UNKNOWN = 'echo "Verifying runner... is not valid" >&2; exit 1'


class Host:
    """A directory of programs, for PATH."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._calls = directory / "calls"
        directory.mkdir()

    def runner(self, version: str = "17.9.0", *, lint: str = ":", verify: str = VALID) -> None:
        """Have a gitlab-runner."""
        values = {"version": version, "lint": lint, "verify": verify}
        self._write("gitlab-runner", _RUNNER, values)

    def systemctl(
        self,
        *,
        runs: bool = True,
        enable: str = ":",
        config: object = "/etc/gitlab-runner/config.toml",
    ) -> None:
        """Have a systemctl, whose gitlab-runner runs or not."""
        self._write(
            "systemctl",
            _SYSTEMCTL,
            {"inactive": 0 if runs else 3, "enable": enable, "config": config},
        )

    def _write(self, name: str, text: str, values: Mapping[str, object]) -> None:
        program = self.directory / name
        program.write_text(text.format(calls=self._calls, **values), encoding="utf-8")
        program.chmod(0o755)

    def calls(self, *first: str) -> list[str]:
        """Return the calls, or those that begin with one of some words."""
        if not self._calls.exists():
            return []
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        return [each for each in lines if not first or each.split()[0] in first]
