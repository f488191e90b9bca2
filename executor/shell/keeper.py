"""The shell program that a job's build and helper container run, and what is sent to it.

Both containers stand for the whole job.  Their program, the *keeper*, runs through the image's
entrypoint and takes one script after the other from its stdin, as a container of the Docker
executor takes its one.  So a script is a child of the entrypoint, with all that it exported, and
starting one costs the engine nothing: an exec takes 50 ms, and an image's restart 300.

The keeper reads with built-ins byte by byte, so that nothing meant for a later reader is lost.
Everything else that it calls, the scripts of gitlab-runner call too.  Its variables start with `_`:
a script inherits those of the image and of the entrypoint, and these must stay as they are.
"""

import os
from collections.abc import Iterable, Mapping

from executor.shell import processes
from executor.shell.processes import ALL_OURS, MARK_OURS, MARK_PROCESSES, TELL_OURS
from executor.shell.serving import SERVE

DIRECTORY = processes.DIRECTORY

DOCKER_CONFIG = f"{DIRECTORY}/docker"
"""The job's DOCKER_CONFIG: private and writable, so that `docker login` works there."""

ENVIRONMENT = f"{DIRECTORY}/environment"
"""Where a receiver gets the variables that must not show in a container's configuration."""

_SHELLS_OWN = frozenset(
    ("BASHOPTS", "BASH_VERSINFO", "EUID", "OPTIND", "PPID", "SHELLOPTS", "UID", "_")
)
"""Variables that some shell does not let anybody set."""

# Files from stdin show nowhere: a line that no file holds; then a path, the file's lines and that
# line, for each; an empty path ends the list.  What has no place is read all the same: its lines
# are no paths.
_RECEIVE_FILES = """\
IFS= read -r _t
while IFS= read -r _f && [ -n "$_f" ]; do
  mkdir -p "${_f%/*}" 2>/dev/null
  if ! { true >"$_f"; } 2>/dev/null; then
    printf '%s\\n' "dind-executor: $_f cannot be written" >&2
    _f=/dev/null
  fi
  while IFS= read -r _l && [ "$_l" != "$_t" ]; do printf '%s\\n' "$_l"; done >"$_f"
done
"""

# ~/.docker leads to the job's DOCKER_CONFIG: pipelines write ~/.docker/config.json themselves, or
# install plugins below it.  An image's own config.json is put behind ours in one JSON object: of
# two keys of one name Docker's reader takes both, and where they differ the last, so the image's.
# A home on a volume may have the link already: from the container before this one.
_LINK_DOCKER_CONFIG = """\
if [ -d "$_d/docker" ]; then
  chmod 0700 "$_d/docker"
  _h=${HOME:-/root}/.docker
  if [ "$_h" -ef "$_d/docker" ] 2>/dev/null; then
    :
  elif [ -d "$_h" ]; then
    if [ -f "$_h/config.json" ]; then
      IFS= read -r _l <"$_d/docker/config.json"
      _f=$(cat "$_h/config.json")
      case $_f in
        *\\{*[!}[:space:]]*)
          printf '%s,%s\\n' "${_l%\\}}" "${_f#*\\{}" >"$_d/docker/config.json" ;;
      esac
    fi
    ln -sf "$_d/docker/config.json" "$_h/config.json" 2>/dev/null
    [ -e "$_h/cli-plugins" ] || ln -s "$_h/cli-plugins" "$_d/docker/"
    for _f in "$_h"/*; do
      [ ! -e "$_f" ] || [ -e "$_d/docker/${_f##*/}" ] || ln -s "$_f" "$_d/docker/"
    done
  else
    ln -s "$_d/docker" "$_h" 2>/dev/null
  fi
fi
"""

# The shells in the order in which the Docker executor looks for them, and then the one on the PATH.
_FIND_SHELL = """\
_shell=sh
for _s in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh \
/busybox/sh; do
  if [ -x "$_s" ]; then _shell=$_s; break; fi
done
"""

# With TMOUT, bash would not wait for the next script any longer than that.
_KEEPER = f"""\
_tmout=${{TMOUT-}}
unset TMOUT
_u=$(umask)
umask 022
_d={DIRECTORY}
_pwd=$PWD
{_RECEIVE_FILES}{_LINK_DOCKER_CONFIG}umask 077
{{ true >"$_d/script"; }} 2>/dev/null
{_FIND_SHELL}umask "$_u"
_pipes=
if [ -p /proc/self/fd/1 ] && [ -p /proc/self/fd/2 ]; then
  {{ true >>/proc/self/fd/1 && true >>/proc/self/fd/2; }} 2>/dev/null && _pipes=1
fi
unset _f _h _l _s _t _u
"""


def quoted(text: str) -> str:
    """Return `text` as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def keeper(
    *, prelude: str = "", before_first: str = "", shares_pids: bool = False
) -> tuple[str, ...]:
    """Return the keeper's command.

    `prelude` runs before the container counts as ready, `before_first` before the first script,
    when all of the job's containers exist.  `shares_pids` tells whether the container sees
    processes that are not its own.
    """
    begin = f"{_KEEPER}_once={quoted(before_first)}\n{prelude}{MARK_PROCESSES}"
    tell = TELL_OURS + MARK_OURS if shares_pids else ALL_OURS
    return ("sh", "-c", begin + tell + SERVE)


def receiver(
    program: tuple[str, ...], *, prelude: str = "", keeps_stdin: bool = False
) -> tuple[str, ...]:
    """Return the command that takes files from stdin and then becomes `program`.

    In between come the commands of `prelude`, which may change the arguments in `"$@"`.  What
    follows on stdin is the program's where it `keeps_stdin`.
    """
    text = f"""\
umask 077
{_RECEIVE_FILES}unset _f _l _t
umask 022
if [ -f {ENVIRONMENT} ]; then . {ENVIRONMENT}; rm -f {ENVIRONMENT}; fi
{prelude}exec "$@"{"" if keeps_stdin else " </dev/null"}
"""
    return ("sh", "-c", text, "sh", *program)


def sent_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return what a keeper or receiver reads from its stdin for these paths and contents."""
    end = os.urandom(16).hex().encode() + b"\n"
    parts = [f"{path}\n".encode() + content.rstrip(b"\n") + b"\n" + end for path, content in files]
    return b"".join([end, *parts, b"\n"])


def sent_environment(variables: Mapping[str, str]) -> bytes:
    """Return the file that gives a receiver's program these variables.

    A shell would not go on after a key that cannot be a name, such as `1ST`, or is its own.
    """
    lines = [
        f"export {key}={quoted(value)}\n"
        for key, value in variables.items()
        if key.isascii() and key.isidentifier() and key not in _SHELLS_OWN
    ]
    return "".join(lines).encode()
