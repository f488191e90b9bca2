# shellcheck shell=sh
# Takes files from stdin, which show nowhere else: `receive_files WHAT`.
#
# $_me  the container's name

# An image may ask its shell to print what it does (SHELLOPTS): that would show the files.  What comes
# later turns it on again.
_traced=
case $- in *x*) _traced=x ;; esac
# shellcheck disable=SC2034
case $- in *v*) _traced=v$_traced ;; esac
set +xv

# There comes a line that begins with `files-` and that no file holds; then, for each file, its path,
# its lines and that line; an empty path ends the list.  What cannot be written is read
# nevertheless: its lines are no paths.  `read` is a built-in that takes byte by byte, so nothing
# meant for a later reader is lost.  In front of it may be what led a shell to this program.
#
# Nothing secret is sent before both lines of the answer have come: the entrypoint may have led
# stdin elsewhere.  It fails where stdin does not reach it.
receive_files() {
  # shellcheck disable=SC2154 # it is given
  printf '%s %s %s\n' dind-executor: "$_me" "takes its $1"
  while :; do
    IFS= read -r _t || return 1
    case $_t in
      files-*)
        printf '%s %s %s\n' dind-executor: "$_me" "hears $_t"
        break ;;
      *[!0-9a-f]*) ;;
      # The version before sends all at once, behind a line of 32 digits: after a rollback, its
      # `run` may start a container of ours again.
      ????????????????????????????????) break ;;
    esac
  done
  while IFS= read -r _f && [ -n "$_f" ]; do
    mkdir -p "${_f%/*}" 2>/dev/null
    if ! { true >"$_f"; } 2>/dev/null; then
      printf '%s\n' "dind-executor: $_f cannot be written" >&2
      _f=/dev/null
    fi
    while IFS= read -r _l && [ "$_l" != "$_t" ]; do printf '%s\n' "$_l"; done >"$_f"
  done
  unset _f _l _t
}

no_stdin() {
  printf '%s\n' "dind-executor: nothing can be read from stdin: it was closed, or led elsewhere" >&2
  exit 1
}
