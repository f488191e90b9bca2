"""The shell programs that run inside a job's containers.

The build and the helper container stand for the whole job.  Their first process is the *keeper*:
it runs through the image's entrypoint, as a script does under the Docker executor, keeps what the
entrypoint exported, and then waits.  Each sub-stage is one exec of the *wrapper*, which gives the
script that environment and ends every process that the script left behind.  Only shell built-ins
are used where an image may lack the program.
"""

from collections.abc import Iterable

DIRECTORY = "/run/dind-executor"
"""A tmpfs in every build and helper container: never on disk, never in `docker inspect`."""

DOCKER_CONFIG = f"{DIRECTORY}/docker"
"""The job's DOCKER_CONFIG: private and writable, so that `docker login` works there."""

READY = "dind-executor: the container is ready"
"""What the keeper prints once an image's entrypoint has handed over to it."""

# Reads files from stdin, so that they show nowhere: a path, the lines, a full stop; an empty path
# ends the list.  PEM and one-line JSON hold no line that is a full stop.
_RECEIVE = """\
while IFS= read -r f && [ -n "$f" ]; do
  mkdir -p "${f%/*}"
  while IFS= read -r l && [ "$l" != . ]; do printf '%s\\n' "$l"; done >"$f"
done
"""

# ~/.docker leads to the job's DOCKER_CONFIG: pipelines write ~/.docker/config.json themselves, or
# install plugins below it.
KEEPER = f"""\
umask 022
d={DIRECTORY}
{_RECEIVE}if [ -d "$d/docker" ]; then
  chmod 0700 "$d/docker"
  h=${{HOME:-/root}}/.docker
  if [ -d "$h" ]; then
    for f in "$h"/*; do
      [ ! -e "$f" ] || [ -e "$d/docker/${{f##*/}}" ] || ln -s "$f" "$d/docker/"
    done
  else
    ln -s "$d/docker" "$h" 2>/dev/null
  fi
fi
unset f h l
umask 077
export -p >"$d/environment"
keep=" "
for p in /proc/[0-9]*; do keep="$keep${{p#/proc/}} "; done
printf '%s\\n' "$keep" >"$d/processes"
"""

KEEPER_END = f"""\
printf '%s\\n' '{READY}'
while read -r line; do :; done
"""

# The shells in the order in which the Docker executor looks for them.
_FIND_SHELL = """\
for s in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh \
/busybox/sh; do
  if [ -x "$s" ]; then shell=$s; break; fi
done
"""

# A signal that ends the script must not end the wrapper before it has cleared up.  A handler, not
# '' : what is ignored here would be ignored in the script too.
WRAPPER = f"""\
d={DIRECTORY}
. "$d/environment"
IFS= read -r keep <"$d/processes"
{_FIND_SHELL}trap : TERM
"$shell"
code=$?
again=1
while [ -n "$again" ]; do
  again=
  for p in /proc/[0-9]*; do
    p=${{p#/proc/}}
    case "$keep$$ " in
      *" $p "*) ;;
      *) kill -9 "$p" 2>/dev/null && again=1; keep="$keep$p " ;;
    esac
  done
done
exit $code
"""


def quoted(text: str) -> str:
    """Return `text` as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def keeper(*, prelude: str = "") -> tuple[str, ...]:
    """Return the keeper's command; `prelude` runs before the container counts as ready."""
    return ("sh", "-c", KEEPER + prelude + KEEPER_END)


def receiver(program: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that takes files from stdin and then becomes `program`."""
    return (
        "sh",
        "-c",
        f'umask 077\n{_RECEIVE}unset f l\numask 022\nexec "$@" </dev/null',
        "sh",
        *program,
    )


def sent_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return what a keeper or receiver reads from its stdin for these paths and contents."""
    parts = [f"{path}\n".encode() + content.rstrip(b"\n") + b"\n.\n" for path, content in files]
    return b"".join([*parts, b"\n"])


def wrapper(*, prelude: str = "") -> tuple[str, ...]:
    """Return the command that runs the script on its stdin; `prelude` runs before it."""
    return ("sh", "-c", prelude + WRAPPER)


def signaller(signal: str) -> tuple[str, ...]:
    """Return the command that signals all processes of the running script, newest first."""
    return (
        "sh",
        "-c",
        f"""\
IFS= read -r keep <{DIRECTORY}/processes
all=
for p in /proc/[0-9]*; do all="${{p#/proc/}} $all"; done
for p in $all; do
  case "$keep$$ " in
    *" $p "*) ;;
    *) kill -{signal} "$p" 2>/dev/null ;;
  esac
done
""",
    )
