# shellcheck shell=sh
# Looks for the gitlab-runner that the script behind this will call.
#
# $_d        the keeper's directory: the image stays as it is, and any user of it may do this
# $_elsewhere  that directory where it is not in $_d
# $_missing  the exit status where there is none that starts
# $_wanted   the version of the runner
# shellcheck disable=SC2154 # what is given

if ! command -v gitlab-runner >/dev/null 2>&1; then
  for _r in gitlab-runner-helper /usr/bin/gitlab-runner-helper; do
    if _r=$(command -v "$_r"); then
      [ -e "$_d/processes" ] || _d=$_elsewhere
      mkdir -p "$_d/bin"
      ln -sf "$_r" "$_d/bin/gitlab-runner"
      PATH=$PATH:$_d/bin
      export PATH
      break
    fi
  done
fi
_v=$(gitlab-runner --version </dev/null 2>/dev/null) || exit "$_missing"
# What is no version is not compared: a runner that somebody built has no image of its own.
case "$_wanted-$_v" in
  [0-9]*.[0-9]*.[0-9]*-*"$_wanted"*) ;;
  [0-9]*.[0-9]*.[0-9]*-*)
    _v=${_v#*Version:}
    for _v in $_v; do break; done
    # shellcheck disable=SC2016 # backquotes for a reader
    printf '%s%s%s\n' "WARNING: The helper image has gitlab-runner $_v, but the runner is $_wanted:" \
      ' caches and artifacts may fail. Set `[docker] helper_image` in the settings of' \
      ' dind-executor to an image of the same version.' >&2 ;;
esac
unset _d _elsewhere _missing _r _v _wanted
