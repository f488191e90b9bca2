"""What programs of the host print: of its firewall, and of gitlab-runner.  None of them changes anything."""

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


def version_of(process: Process | None) -> tuple[int, ...]:
    """Return the version of the gitlab-runner that runs, or else of the one on the PATH."""
    program = f"/proc/{process.pid}/exe" if process and not process.in_container else _RUNNER
    for line in (printed((program, "--version")) or printed((_RUNNER, "--version"))).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Version":
            numbers = value.strip().partition("~")[0].split(".")
            return tuple(int(each) for each in numbers if each.isdecimal())
    return ()


def printed(command: tuple[str, ...]) -> str:
    """Return what a program prints, "" where it is not there or fails."""
    import subprocess

    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if done.returncode else done.stdout
