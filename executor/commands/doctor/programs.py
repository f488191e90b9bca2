"""What programs of the host print: of its firewall, and of gitlab-runner.  None of them changes anything."""

import os
import stat

from executor.commands.doctor.facts import Process

_SECONDS = 5.0
_RUNNER = "gitlab-runner"
_RULES = (
    ("iptables-save",),
    ("iptables-legacy-save",),
    ("iptables-nft-save",),
    ("nft", "list", "ruleset"),
)


def rules() -> str:
    """Return all rules of the kernel's firewall; none of these programs changes any."""
    return "\n".join(filter(None, (printed(command) for command in _RULES)))


def version_of(process: Process | None, proc: str = "/proc") -> tuple[int, ...]:
    """Return the version of the gitlab-runner that runs, or else of the one on the PATH."""
    said = ""
    if process and not process.in_container:
        said = _printed_by(f"{proc}/{process.pid}/exe")
    for line in (said or printed((_RUNNER, "--version"))).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Version":
            numbers = value.strip().partition("~")[0].split(".")
            return tuple(int(each) for each in numbers if each.isdecimal())
    return ()


def _printed_by(program: str) -> str:
    """Return what a process's program says of its version, "" where another user could have written it.

    Anybody may name a process like gitlab-runner's, and this user may be root.
    """
    try:
        descriptor = os.open(program, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        found = os.fstat(descriptor)
        is_others = found.st_uid not in {0, os.geteuid()}
        if is_others or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return ""
        return printed((f"/proc/self/fd/{descriptor}", "--version"), descriptor)
    finally:
        os.close(descriptor)


def printed(command: tuple[str, ...], *descriptors: int) -> str:
    """Return what a program prints, "" where it is not there or fails; it gets these descriptors."""
    import subprocess

    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
            pass_fds=descriptors,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if done.returncode else done.stdout
