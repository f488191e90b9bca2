"""A systemctl that notes its calls, and a gitlab-runner that ends when a test says so."""

from pathlib import Path

_SYSTEMCTL = """\
#!/bin/sh
if [ "$(cat {directory}/before)" = "$1" ]; then kill -KILL $PPID; exit; fi
echo "$*" >>{directory}/calls
case "$1" in
    show) printf 'LoadState=%s\\nActiveState=%s\\n' "$(cat {directory}/load)" "$(cat {directory}/state)" ;;
    stop) echo deactivating >{directory}/state ;;
    start) echo active >{directory}/state ;;
esac
if [ "$(cat {directory}/behind)" = "$1" ]; then kill -KILL $PPID; fi
"""


class Systemd:
    """A directory for PATH, and the root of a host."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = directory / "root"
        self.root.mkdir(parents=True)
        program = directory / "systemctl"
        program.write_text(_SYSTEMCTL.format(directory=directory), encoding="utf-8")
        program.chmod(0o755)
        self.become("active")
        (directory / "load").write_text("loaded")
        self.kill()

    def become(self, state: str) -> None:
        """Have gitlab-runner be in a state."""
        (self.directory / "state").write_text(state)

    def kill(self, *, before: str = "", behind: str = "") -> None:
        """Have whoever calls it with a verb be killed, before it acts or when it has."""
        (self.directory / "before").write_text(before)
        (self.directory / "behind").write_text(behind)

    def missing(self) -> None:
        """Have no gitlab-runner."""
        (self.directory / "load").write_text("not-found")

    @property
    def state(self) -> str:
        """What gitlab-runner does."""
        return (self.directory / "state").read_text().strip()

    @property
    def drop_in(self) -> Path:
        """Where what changes the unit lies."""
        return self.root / "run/systemd/system/gitlab-runner.service.d/zz-dind-executor-drain.conf"

    def calls(self) -> list[str]:
        """Return what changed something."""
        lines = (self.directory / "calls").read_text().splitlines()
        return [each for each in lines if not each.startswith("show")]
