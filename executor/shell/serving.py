"""The part of a keeper that takes one script after the other, and what it says of each.

It follows on what `keeper` makes ready: the directory, the shell, and whose processes are whose.
"""

from executor.shell.processes import END_PROCESSES

READY = "dind-executor: the container is ready"
"""What the keeper prints once an image's entrypoint has handed over to it."""

BEGINS = b"begins"
UNTAKEN = b"untaken"
"""In place of an exit status: there is no place for the script."""
LEFT = b"left"
"""Behind an exit status: processes are left that the container's user may not end."""

# A script goes to a file first: shells read ahead when a script is on a pipe, and slowly where
# they do not.  The line after it proves that it came whole.  Not every head stops at the last byte
# that is asked for: that of busybox reads ahead.  What cannot be kept is read all the same,
# unless the reading was killed: whoever does that knows that the rest does not come.
_TAKE = """\
exact() {
  [ "$(printf 'ab\\n' | { "$@" >/dev/null; IFS= read -r _l; echo "$_l"; } 2>/dev/null)" = b ]
}
if exact head -c 1; then
  copy() { head -c "$_size"; }
elif exact dd ibs=1 obs=4096 count=1; then
  copy() { dd ibs=1 obs=4096 count="$_size"; }
else
  copy() {
    while IFS= read -r _end && [ "$_end" != "$_nonce" ]; do
      printf '%s\\n' "$_end" || _lost=1
    done
  }
fi
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
"""

# A line of the keeper's is shorter than PIPE_BUF: it goes whole or not at all.
_SAY = """\
say() {
  _n=0
  until printf '\\000%s %s\\n' "$_nonce" "$1" || [ "$_n" = 9 ]; do
    _n=$((_n + 1))
    sleep 1
  done 2>/dev/null
}
"""

# A script's streams are opened for it alone: what it does to them, such as O_NONBLOCK, ends with
# it.  They are opened only where they are pipes: a file's earlier content would be at stake.
_RUN_SCRIPT = """\
  [ . -ef "$_pwd" ] 2>/dev/null || cd "$_pwd" 2>/dev/null || cd /
  (
    [ -z "$_tmout" ] || export TMOUT="$_tmout"
    [ -z "$_pipes" ] || exec >>/proc/self/fd/1 2>>/proc/self/fd/2
    exec "$_shell" <"$_d/script"
  )
  _code=$?
"""

# The first process of a container is deaf to signals that it does not handle, and where an
# entrypoint or an init came first, the keeper is another one.  So it handles what a script may send
# to its parent or its group, and by that does not hand it down, as it would what it ignores.
# SIGTERM to a keeper without a script says that the container shall end; an entrypoint that waits
# for the keeper may then do what it does at its end.
SERVE = f"""\
trap '[ -n "$_busy" ] || exit 143' TERM
trap '_hit=1' HUP INT QUIT ABRT ALRM PIPE PROF USR1 USR2 VTALRM XCPU XFSZ
_last=
{_TAKE}{_SAY}printf '%s\\n' '{READY}'
_busy=
while :; do
  _hit=
  read -r _word _nonce _size || {{ [ -n "$_hit" ] && continue; break; }}
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
    eval "$_once" 2>/dev/null
    _once=
{_RUN_SCRIPT}  fi
  {{ true >"$_d/script"; }} 2>/dev/null
{END_PROCESSES}  _busy=
  say "2 $_code$_left" >&2
  say "1 $_code$_left"
done
"""


def sent_script(script: bytes, nonce: str) -> bytes:
    """Return what a keeper reads from its stdin to run a script.

    The keeper says that it begins and how it ended, each in a line to stdout and one to stderr:
    NUL, `nonce`, which no script knows, the number of the stream, and `begins` or the exit status.
    For a script that it cannot keep that is UNTAKEN; LEFT comes behind it where processes are left
    that it may not end.
    """
    return b"run %s %d\n%s\n%s\n" % (nonce.encode(), len(script) + 1, script, nonce.encode())
