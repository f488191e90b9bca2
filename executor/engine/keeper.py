"""The shell program that a job's build and helper container run, and what is sent to it.

Both containers stand for the whole job.  Their program, the *keeper*, runs through the image's
entrypoint and takes one script after the other from its stdin, as a container of the Docker
executor takes its one.  So a script is a child of the entrypoint, with all that it exported, and
starting one costs the engine nothing: an exec takes 50 ms, and an image's restart 300.

The keeper reads with built-ins byte by byte, so that nothing meant for a later reader is lost.
Everything else that it calls, the scripts of gitlab-runner call too.
"""

from collections.abc import Iterable

DIRECTORY = "/run/dind-executor"
"""A tmpfs in every build and helper container: never on disk, never in `docker inspect`."""

DOCKER_CONFIG = f"{DIRECTORY}/docker"
"""The job's DOCKER_CONFIG: private and writable, so that `docker login` works there."""

READY = "dind-executor: the container is ready"
"""What the keeper prints once an image's entrypoint has handed over to it."""

# Files from stdin show nowhere: a path, the lines, a full stop; an empty path ends the list.  PEM
# and one-line JSON hold no line that is a full stop.
_RECEIVE_FILES = """\
while IFS= read -r f && [ -n "$f" ]; do
  mkdir -p "${f%/*}"
  while IFS= read -r l && [ "$l" != . ]; do printf '%s\\n' "$l"; done >"$f"
done
"""

# ~/.docker leads to the job's DOCKER_CONFIG: pipelines write ~/.docker/config.json themselves, or
# install plugins below it.
_LINK_DOCKER_CONFIG = """\
if [ -d "$d/docker" ]; then
  chmod 0700 "$d/docker"
  h=${HOME:-/root}/.docker
  if [ -d "$h" ]; then
    for f in "$h"/*; do
      [ ! -e "$f" ] || [ -e "$d/docker/${f##*/}" ] || ln -s "$f" "$d/docker/"
    done
  else
    ln -s "$d/docker" "$h" 2>/dev/null
  fi
fi
"""

# The shells in the order in which the Docker executor looks for them.
_FIND_SHELL = """\
for s in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh \
/busybox/sh; do
  if [ -x "$s" ]; then shell=$s; break; fi
done
"""

# A script goes to a file first: shells read ahead when a script is on a pipe, and slowly where
# they do not.  The line after it proves that it came whole.  Not every head stops at the last byte
# that is asked for: that of busybox reads ahead.
_TAKE_SCRIPT = """\
exact() { [ "$(printf 'ab\\n' | { "$@" >/dev/null; IFS= read -r l; echo "$l"; } 2>/dev/null)" = b ]; }
if exact head -c 1; then
  take() { head -c "$size" >"$d/script"; IFS= read -r end; }
elif exact dd ibs=1 obs=4096 count=1; then
  take() { dd ibs=1 obs=4096 count="$size" >"$d/script" 2>/dev/null; IFS= read -r end; }
else
  take() {
    while IFS= read -r end && [ "$end" != "$nonce" ]; do printf '%s\\n' "$end"; done >"$d/script"
  }
fi
"""

# What runs now belongs to the image's entrypoint and stays; what a script leaves behind goes.
_MARK_PROCESSES = """\
keep=" "
for p in /proc/[0-9]*; do keep="$keep${p#/proc/} "; done
printf '%s\\n' "$keep" >"$d/processes"
"""

_END_PROCESSES = """\
  again=1
  while [ -n "$again" ]; do
    again=
    for p in /proc/[0-9]*; do
      p=${p#/proc/}
      case "$keep" in
        *" $p "*) ;;
        *) kill -9 "$p" 2>/dev/null && again=1; keep="$keep$p " ;;
      esac
    done
  done
  IFS= read -r keep <"$d/processes"
"""

_KEEPER = f"""\
u=$(umask)
umask 022
d={DIRECTORY}
{_RECEIVE_FILES}{_LINK_DOCKER_CONFIG}umask 077
: >"$d/script"
{_TAKE_SCRIPT}{_FIND_SHELL}umask "$u"
unset f h l s u
"""

_SERVE = f"""\
{_MARK_PROCESSES}printf '%s\\n' '{READY}'
while read -r word nonce size; do
  [ "$word" = run ] || continue
  printf '\\000%s begins\\n' "$nonce" >&2
  printf '\\000%s begins\\n' "$nonce"
  take
  [ "$end" = "$nonce" ] || continue
  "$shell" <"$d/script"
  code=$?
  : >"$d/script"
{_END_PROCESSES}  printf '\\000%s %s\\n' "$nonce" "$code" >&2
  printf '\\000%s %s\\n' "$nonce" "$code"
done
"""


def quoted(text: str) -> str:
    """Return `text` as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def keeper(*, prelude: str = "") -> tuple[str, ...]:
    """Return the keeper's command; `prelude` runs before the container counts as ready."""
    return ("sh", "-c", _KEEPER + prelude + _SERVE)


def receiver(program: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that takes files from stdin and then becomes `program`."""
    text = f'umask 077\n{_RECEIVE_FILES}unset f l\numask 022\nexec "$@" </dev/null'
    return ("sh", "-c", text, "sh", *program)


def sent_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return what a keeper or receiver reads from its stdin for these paths and contents."""
    parts = [f"{path}\n".encode() + content.rstrip(b"\n") + b"\n.\n" for path, content in files]
    return b"".join([*parts, b"\n"])


def sent_script(script: bytes, nonce: str) -> bytes:
    """Return what a keeper reads from its stdin to run a script.

    The keeper says on stdout and on stderr that it begins and how it ended, each in a line that
    starts with NUL and `nonce`, which no script knows.
    """
    return b"run %s %d\n%s\n%s\n" % (nonce.encode(), len(script) + 1, script, nonce.encode())


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
