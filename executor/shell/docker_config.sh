# shellcheck shell=sh
# Puts the job's logins where Docker's client looks for them.  After own_places.sh.
#
# $_d       the keeper's directory; `docker` in it holds the logins, where the container has any
# $_images  whether DOCKER_CONFIG is the image's word

# Pipelines write ~/.docker/config.json themselves, or install plugins below it.  So the directory
# is a link to that of the logins, and no variable names it.  A link at config.json would not do: the
# client renames its new file over what it leads to, in another file system.
place_logins() {
  # shellcheck disable=SC2154 # what is given
  [ -d "$_d/docker" ] || return 0
  chmod 0700 "$_d/docker"
  _h=${HOME:-/root}
  _h=${_h%/}/.docker
  if [ -n "$_images" ] && [ -n "${DOCKER_CONFIG-}" ]; then
    lead "${DOCKER_CONFIG%/}" || export DOCKER_CONFIG="$_d/docker"
    [ -e "$_h" ] || lead "$_h" || :
  else
    # What a job says itself stands.
    lead "$_h" || [ -n "${DOCKER_CONFIG-}" ] || export DOCKER_CONFIG="$_d/docker"
  fi
}

# Makes a directory a link to the logins.  Fails where it cannot be one and says nothing of logins.
lead() {
  # shellcheck disable=SC3013 # busybox ash, dash and bash have -ef; elsewhere it is false
  [ ! "$1" -ef "$_d/docker" ] 2>/dev/null || return 0
  if ! own "${1%/*}/" || { [ -d "$1" ] && { ! own "$1" || [ -n "$_below" ]; }; }; then
    # A file that is mounted is the word of whoever mounts it.
    if [ -e "$1/config.json" ] || [ -L "$1/config.json" ]; then return 0; fi
    show "$1"
    return 1
  fi
  if [ -d "$1" ]; then
    take_along "$1" || return 1
  elif [ ! -d "${1%/*}/" ]; then
    mkdir -p "${1%/*}" 2>/dev/null
  fi
  ln -s "$_d/docker" "$1" 2>/dev/null
}

# Moves what an image has in the directory to the logins: memory has place for files, and not for
# plugins.
take_along() {
  IFS= read -r _l <"$_d/docker/config.json"
  _s=$(du -sk "$1/" 2>/dev/null)
  _s=${_s%%[!0-9]*}
  if [ "${_s:-2000}" -le 1024 ] && [ -w "${1%/*}/" ]; then
    cp -RPp "$1/." "$_d/docker/" 2>/dev/null
    _k=$?
    chmod 0700 "$_d/docker"
    # It has come over ours, also where something else could not be read.
    rm -f "$_d/docker/config.json"
    merge "$1"
    [ "$_k" != 0 ] || rm -rf "$1" 2>/dev/null
    [ -e "$1" ] || [ -L "$1" ] || return 0
    show_rest "$1"
  else
    show "$1"
  fi
  return 1
}

# An image's own config.json is put behind ours in one JSON object: of two keys of one name Docker's
# reader takes both, and where they differ the last, so the image's.
merge() {
  _f=$(cat "$1/config.json" 2>/dev/null)
  # shellcheck disable=SC1083,SC2101 # braces of JSON; a class of what is not in one
  case $_f in
    *\{*[!}[:space:]]*) printf '%s,%s\n' "${_l%\}}" "${_f#*\{}" >"$_d/docker/config.json" ;;
    *) printf '%s\n' "$_l" >"$_d/docker/config.json" ;;
  esac
}

# Shows beside the logins what is in a directory that stays as it is.
show() {
  [ -d "$1" ] || return 0
  IFS= read -r _l <"$_d/docker/config.json"
  [ ! -f "$1/config.json" ] || merge "$1"
  show_rest "$1"
}

show_rest() {
  [ -e "$1/cli-plugins" ] || ln -s "$1/cli-plugins" "$_d/docker/" 2>/dev/null
  for _f in "$1"/*; do
    [ ! -e "$_f" ] || [ -e "$_d/docker/${_f##*/}" ] || ln -s "$_f" "$_d/docker/"
  done
}
