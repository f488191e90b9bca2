# shellcheck shell=sh
# Takes files from stdin, which show nowhere else.

# There comes a line that no file holds; then, for each file, its path, its lines and that line; an
# empty path ends the list.  What cannot be written is read nevertheless: its lines are no paths.
# `read` is a built-in that takes byte by byte, so nothing meant for a later reader is lost.
receive_files() {
  IFS= read -r _t
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
