"""The shell programs that run in a job's containers.

Each is a real `.sh` file, under shellcheck.  A program is the text of one or more files of this directory, behind a line that gives it its
variables.  Its text is never put together from values: whatever a value holds, it stays a value.
Only the modules of this package and those that send a program read its files, so `config` reads
none, and `run` only what it sends.
"""

DIRECTORY = "/run/dind-executor"
"""A tmpfs in every build and helper container: never on disk, never in `docker inspect`."""

DOCKER_CONFIG = f"{DIRECTORY}/docker"
"""Where a job's logins are: private and writable, so that `docker login` works there."""

SOCKETS = "/run/dind-executor-socket"
SOCKET_DIRECTORY = f"{SOCKETS}/dind"
"""A volume in sidecar and build container.  An image's volume at /var/run would hide one that is
mounted higher up, and below `DIRECTORY` it would change that one's mode."""
SOCKET = f"{SOCKET_DIRECTORY}/docker.sock"
"""Where dockerd in the sidecar listens for the build container."""

ENVIRONMENT = f"{DIRECTORY}/environment"
"""Where a receiver gets the variables that must not show in a container's configuration."""

ELSEWHERE = "/dind-executor"
"""In place of `DIRECTORY` where something is mounted at /run: the engine would make a directory for
the tmpfs in what is mounted, which may be the host's own."""

_HERE = __file__.rpartition("/")[0]


def moved(text: str) -> str:
    """Return a path or program with `ELSEWHERE` for `DIRECTORY`, and so for what lies beside it."""
    return text.replace(DIRECTORY, ELSEWHERE)


def quoted(text: str) -> str:
    """Return `text` as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def program(*names: str) -> str:
    """Return the text of `.sh` files, one behind the other, without comments and empty lines."""
    lines: list[str] = []
    for name in names:
        with open(f"{_HERE}/{name}.sh", encoding="utf-8") as file:  # noqa: PTH123 (pathlib is slow)
            lines += [line for line in file if line.strip() and line.lstrip()[0] != "#"]
    return "".join(lines)


def given(**variables: str) -> str:
    """Return the line that gives a program its variables; their names begin with `_`."""
    return " ".join(f"{key}={quoted(value)}" for key, value in variables.items()) + "\n"
