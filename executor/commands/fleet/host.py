"""Has the gitlab-runner of this host end when its jobs have, and start again.

GitLab cannot pause one of the hosts that share a token, so a host drains itself.
"""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from executor.commands.fleet.journal import DONE, FAILED, Journal
from executor.commands.install.jobs import running_jobs

UNIT = "gitlab-runner.service"
DRAIN, UNDRAIN = "drain", "undrain"
_STATE_DIR = "/var/lib/dind-executor"
_SECONDS = 60
_ENDING = "deactivating"
_OVER = ("inactive", "failed")
# The last name counts: `systemctl edit` makes override.conf, and `dind-executor install` one of its own.
_DROP_IN = f"run/systemd/system/{UNIT}.d/zz-dind-executor-drain.conf"
_TEXT = """\
# Written by `dind-executor fleet drain`; `dind-executor fleet undrain` removes it, as does a reboot.
[Service]
# gitlab-runner takes no new jobs, waits until the running ones have ended, and ends.
KillMode=mixed
KillSignal=SIGQUIT
# Jobs have timeouts of their own: nothing kills them here.
TimeoutStopSec=infinity
Restart=no
"""


class HostFailed(Exception):
    """A host cannot be drained, or not yet be used again; the text says why."""


class Host:
    """The host that the command runs on, as systemd has it."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Take where the host's files are; nothing is done yet."""
        self._root = root
        self._drop_in = root / _DROP_IN
        self.target = f"{os.uname().nodename}/{UNIT}"

    @property
    def is_drained(self) -> bool:
        """Tell whether this host was told to drain."""
        return self._drop_in.exists()

    def state(self) -> str:
        """Return systemd's word: active, deactivating, inactive, failed; raises HostFailed."""
        told = self._systemctl("show", "--property", "LoadState,ActiveState", UNIT)
        said = dict(line.partition("=")[::2] for line in told.splitlines())
        if said.get("LoadState") != "loaded" or not said.get("ActiveState"):
            raise HostFailed(
                f"systemd has no {UNIT} here. Where gitlab-runner runs in a container, `docker kill"
                " --signal QUIT CONTAINER` has it end when its jobs have; its restart policy must not"
                " start it again."
            )
        return said["ActiveState"]

    def jobs(self) -> list[str]:
        """Return the jobs that run here."""
        return [str(each) for each in running_jobs(_STATE_DIR, self._root)]

    def left(self) -> Sequence[str] | None:
        """Return the jobs that are left, None when gitlab-runner has ended; raises HostFailed."""
        return None if self.state() in _OVER else self.jobs()

    def ending(self) -> Sequence[str] | None:
        """Return the jobs that are left, None when nothing ends any more; raises HostFailed."""
        return self.jobs() if self.state() == _ENDING else None

    def drain(self, journal: Journal) -> bool:
        """Have gitlab-runner end; return False where it does already, or has.

        Raises HostFailed, and JournalFailed.
        """
        state = self.state()
        is_made = state in _OVER or (self.is_drained and state == _ENDING)
        self._settle(journal, DRAIN, is_made=is_made)
        if is_made:
            return False
        before, after = {"state": state}, {"state": "inactive", "file": str(self._drop_in)}
        with journal.changing(DRAIN, self.target, before, after):
            self._write()
            self._systemctl("daemon-reload")
            self._systemctl("stop", "--no-block", UNIT)
        return True

    def undrain(self, journal: Journal) -> bool:
        """Have gitlab-runner take jobs again; return False where nobody has drained this host.

        Raises HostFailed, also while jobs run, and JournalFailed.
        """
        self._settle(journal, UNDRAIN, is_made=not self.is_drained)
        if not self.is_drained:
            return False
        if (state := self.state()) == _ENDING:
            raise HostFailed(
                "gitlab-runner still waits for its jobs, and was told to end after them, which cannot"
                " be taken back. Use --wait, or try again when it has ended."
            )
        before, after = {"state": state, "file": str(self._drop_in)}, {"state": "active"}
        with journal.changing(UNDRAIN, self.target, before, after):
            # The file goes after the start: a call that is killed in between is made again.
            self._systemctl("start", UNIT)
            with suppress(FileNotFoundError):
                self._drop_in.unlink()
            self._systemctl("daemon-reload")
        return True

    def _settle(self, journal: Journal, action: str, *, is_made: bool) -> None:
        """Note what became of a change that was cut off."""
        last = journal.last(self.target, DRAIN, UNDRAIN)
        if last and last.is_open:
            state = DONE if last.action == action and is_made else FAILED
            journal.settle(last, state, "as systemd shows it now")

    def _write(self) -> None:
        new = self._drop_in.with_suffix(".new")
        try:
            self._drop_in.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(_TEXT, encoding="utf-8")
            new.replace(self._drop_in)
        except OSError as error:
            raise HostFailed(
                f"{self._drop_in} cannot be written: {error.strerror}. Run this as root."
            ) from None

    def _systemctl(self, *args: str) -> str:
        command = ["systemctl", *args]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise HostFailed(
                f"`{' '.join(command)}` takes longer than {_SECONDS} seconds."
            ) from None
        except OSError as error:
            raise HostFailed(f"`{' '.join(command)}` does not start: {error.strerror}.") from None
        if done.returncode:
            words = " ".join(done.stderr.split()).rstrip(".") or f"exit code {done.returncode}"
            raise HostFailed(f"`{' '.join(command)}` fails: {words}.")
        return done.stdout
