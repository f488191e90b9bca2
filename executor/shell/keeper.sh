# shellcheck shell=sh
# The program of a job's build and helper container: takes one script after the other from stdin.
# After receive_files.sh, our_processes.sh, docker_config.sh and docker_socket.sh.
#
# $_me      the container's name
# $_d       its directory, a tmpfs
# $_ready   what it prints when it is ready
# $_umask   the umask of its scripts; the image's and its entrypoint's where it is empty
# $_forget  a directory that an earlier job may have left; empty for none
# "$@"      the volumes that every user of an image may write to
#
# Its variables start with `_`: a script inherits those of the image and of the entrypoint, and
# these must stay as they are.
# shellcheck disable=SC2154 # what is given

# With TMOUT, bash would not wait for the next script any longer than that.
_tmout=${TMOUT-}
unset TMOUT
_u=$(umask)
umask 022
_pwd=$PWD
receive_files files || no_stdin

place_logins
find_socket
umask 077
{ true >"$_d/script"; } 2>/dev/null

# The shells in the order in which the Docker executor looks for them, and then that on the PATH.
_shell="sh"
for _s in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh; do
  if [ -x "$_s" ]; then _shell=$_s; break; fi
done
umask "$_u"

# A script's streams are opened for it alone: what it does to them, such as O_NONBLOCK, ends with
# it.  They are opened only where they are pipes: a file's earlier content would be at stake.
_pipes=
if [ -p /proc/self/fd/1 ] && [ -p /proc/self/fd/2 ]; then
  { true >>/proc/self/fd/1 && true >>/proc/self/fd/2; } 2>/dev/null && _pipes=1
fi
unset _f _h _i _k _l _m _mounts _p _r _s _u _v _w

[ -z "$_umask" ] || umask "$_umask"
[ -z "$_forget" ] || rm -rf -- "$_forget"
[ $# = 0 ] || chmod 0777 "$@"

# What runs now belongs to the image's entrypoint and stays; what a script leaves behind goes.
_keep=" "
for _p in /proc/[0-9]*; do _keep="$_keep${_p#/proc/} "; done
_kept=$_keep
printf '%s\n' "$_keep" >"$_d/processes"

# Ends what is left of a script.  Another user's process may be one that the keeper may not end; one
# that is dead already and waits for its parent does no harm.
end_processes() {
  _again=1
  _left=
  while [ -n "$_again" ]; do
    _again=
    for _p in /proc/[0-9]*; do
      _p=${_p#/proc/}
      case "$_keep" in *" $_p "*) continue ;; esac
      _keep="$_keep$_p "
      ours "$_p" || continue
      if kill -9 "$_p" 2>/dev/null; then
        _again=1
      elif { IFS= read -r _l <"/proc/$_p/stat"; } 2>/dev/null; then
        case $_l in *") Z "*) ;; *) _left=" left" ;; esac
      fi
    done
  done
  _keep=$_kept
}

# The first process of a container is deaf to signals that it does not handle, and where an
# entrypoint or an init came first, the keeper is another one.  So it handles what a script may send
# to its parent or its group, and by that does not hand it down, as it would what it ignores.
# SIGTERM to a keeper without a script says that the container must end; an entrypoint that waits
# for the keeper may then do what it does at its end.
trap '[ -n "$_busy" ] || exit 143' TERM
# shellcheck disable=SC3048,SC3049 # busybox ash, dash and bash know them
trap '_hit=1' HUP INT QUIT ABRT ALRM PIPE PROF USR1 USR2 VTALRM XCPU XFSZ
_last=

# A script goes to a file first: shells read ahead when a script is on a pipe, and slowly where
# they do not.  The line after it proves that it came whole.  Not every head stops at the last byte
# that is asked for: that of busybox reads ahead.
exact() {
  [ "$(printf 'ab\n' | { "$@" >/dev/null; IFS= read -r _l; echo "$_l"; } 2>/dev/null)" = b ]
}
if exact head -c 1; then
  copy() { head -c "$_size"; }
elif exact dd ibs=1 obs=4096 count=1; then
  copy() { dd ibs=1 obs=4096 count="$_size"; }
else
  copy() {
    while IFS= read -r _end && [ "$_end" != "$_nonce" ]; do
      printf '%s\n' "$_end" || _lost=1
    done
  }
fi

# What cannot be kept is read nevertheless, unless the reading was killed: whoever does that knows
# that the rest does not come.
take() {
  _end=
  _lost=
  _f=$_d/script
  { true >"$_f"; } 2>/dev/null || { _f=/dev/null; _lost=1; }
  copy >"$_f" 2>/dev/null || _lost=$?
  [ "$_end" = "$_nonce" ] || IFS= read -r _end
  case $_lost in
    "" | 137) _lost= ;;
    *) while [ "$_end" != "$_nonce" ] && IFS= read -r _end; do :; done ;;
  esac
}

# A line of the keeper's is shorter than PIPE_BUF: it goes whole or not at all.
say() {
  _n=0
  until printf '\000%s %s\n' "$_nonce" "$1" || [ "$_n" = 9 ]; do
    _n=$((_n + 1))
    sleep 1
  done 2>/dev/null
}

printf '%s\n' "$_ready"
_busy=
while :; do
  _hit=
  # shellcheck disable=SC2162 # its words hold no backslash
  read -r _word _nonce _size || { [ -n "$_hit" ] && continue; break; }
  [ "$_word" = run ] || continue
  if [ "$_nonce" = "$_last" ]; then take; continue; fi
  _last=$_nonce
  say '2 begins' >&2
  say '1 begins'
  take
  # What did not come whole does not run; whoever sent half of it does not listen any more.
  if [ -n "$_lost" ] || [ "$_end" != "$_nonce" ]; then
    _code=untaken
  else
    _busy=1
    # By now all that mount a volume exist: the engine has filled it, with the mode of an image's.
    [ $# = 0 ] || { chmod 0777 "$@" 2>/dev/null; shift $#; }
    [ -z "$_socket" ] || open_socket
    # shellcheck disable=SC3013
    [ . -ef "$_pwd" ] 2>/dev/null || cd "$_pwd" 2>/dev/null || cd /
    (
      [ -z "$_tmout" ] || export TMOUT="$_tmout"
      [ -z "$_pipes" ] || exec >>/proc/self/fd/1 2>>/proc/self/fd/2
      [ -z "$_traced" ] || set "-$_traced"
      exec "$_shell" <"$_d/script"
    )
    _code=$?
  fi
  { true >"$_d/script"; } 2>/dev/null
  end_processes
  _busy=
  say "2 $_code$_left" >&2
  say "1 $_code$_left"
done
