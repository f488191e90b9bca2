# shellcheck shell=sh
# Ends with 0 where GitLab answers git from here, and has the refs that a job fetches.
#
# $_d            a directory of this container's own, or $_elsewhere in its place
# $_url          the repository, without credentials
# $_user         what GitLab knows the job by,
# $_password     with its token
# $_refs         the full names of the refs, each on a line; may be empty
# $_environment  variables for git, as KEY=value, each on a line
# $_ca           certificates (PEM) of GitLab's authority,
# $_cert         and of a client,
# $_key          with its key; all may be empty
# $_seconds      how long GitLab may take
# shellcheck disable=SC2154 # what is given

[ -d "$_d" ] || _d=$_elsewhere
cd / || exit 1
set -f
umask 077
IFS='
'
for _v in $_environment; do export "${_v?}"; done
unset GIT_DIR GIT_WORK_TREE GIT_CONFIG GIT_TRACE
export _user _password GIT_TERMINAL_PROMPT=0
pem() {
  [ -n "$2" ] || return 0
  printf '%s\n' "$2" >"$_d/gitlab-$1"
  export "GIT_SSL_$1=$_d/gitlab-$1"
}
pem CAINFO "$_ca"
pem CERT "$_cert"
pem KEY "$_key"

# A script's token is seen by nobody: neither among git's arguments nor in a file.
# shellcheck disable=SC2016,SC2086 # the helper's shell expands it; each ref is a word
git -c credential.helper= \
  -c 'credential.helper=!f() { echo "username=$_user"; echo "password=$_password"; }; f' \
  ls-remote -q "$_url" $_refs >"$_d/gitlab-refs" 2>/dev/null &
_git=$!
{ sleep "$_seconds"; kill -9 "$_git"; } >/dev/null 2>&1 &
_clock=$!
wait "$_git"
_answer=$?
# Nobody is killed later on: the number may be another one's by then.
kill "$_clock" 2>/dev/null
[ "$_answer" = 0 ] || exit 1
for _r in $_refs; do cut -f 2 "$_d/gitlab-refs" | grep -qxF -e "$_r" || exit 1; done
exit 0
