"""The program of a job's build and helper container, run for real under three shells."""

import json
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest

from executor.shell import DIRECTORY, quoted
from tests.keeping import Going, Start


def test_a_script_runs_and_its_status_comes_back(start: Start) -> None:
    """Output, errors and status are the script's own, to the byte."""
    ended = start().run("printf out; printf err >&2; exit 7")

    assert (ended.code, ended.stdout, ended.stderr) == (7, b"out", b"err")


@pytest.mark.parametrize(
    ("script", "code"),
    [("true", 0), ("false", 1), ("exit 255", 255), ("nowhere-to-be-found", 127), ("", 0)],
)
def test_exit_codes(start: Start, script: str, code: int) -> None:
    """A script's last status is its result, with and without `exit`."""
    assert start().run(script).code == code


def test_a_script_that_ends_by_a_signal_has_its_status(start: Start) -> None:
    """128 and the signal's number, as a shell says it."""
    assert start().run("kill -TERM $$; sleep 60").code == 143


def test_one_script_after_the_other(start: Start) -> None:
    """The keeper takes any number of scripts, each in a shell of its own."""
    kept = start()

    first = kept.run("x=1; cd /; echo $x; exit 3", "first-nonce")
    second = kept.run('echo "[${x-unset}]"; pwd', "second-nonce")

    assert (first.code, first.stdout) == (3, b"1\n")
    assert second.stdout.splitlines()[0] == b"[unset]"
    assert second.stdout.splitlines()[1] != b"/"


@pytest.mark.parametrize("size", [1, 1023, 1024, 4095, 4096, 4097, 65536, 300_000])
def test_a_script_of_any_size_comes_whole(start: Start, size: int) -> None:
    """No byte is lost or read twice, whatever the buffers of pipes and programs."""
    kept = start()
    filler = "#" * 60 + "\n"
    body = (filler * (size // len(filler) + 1))[:size]

    first = kept.run(f"{body}\necho first; exit 4\n")
    second = kept.run("echo second; exit 5", "another-nonce")

    assert (first.code, first.stdout) == (4, b"first\n")
    assert (second.code, second.stdout) == (5, b"second\n")


@pytest.mark.parametrize("missing", [("head",), ("head", "dd")])
def test_a_script_comes_whole_without_programs_to_read_it(
    start: Start, programs: Path, missing: tuple[str, ...]
) -> None:
    """An image may lack what reads fastest."""
    for each in missing:
        (programs / each).unlink()
    kept = start()

    first = kept.run("#" * 5000 + "\nprintf '%s\\n' ' a\\b  '; exit 4\n")
    second = kept.run("echo second", "another-nonce")

    assert (first.code, first.stdout, second.stdout) == (4, b" a\\b  \n", b"second\n")


def test_a_script_without_a_newline_at_its_end(start: Start) -> None:
    """The last line counts too."""
    assert start().run("echo one\nexit 9").code == 9


def test_a_shell_in_an_unusual_place_is_found(start: Start) -> None:
    """The one on the PATH, which runs the keeper itself, also runs scripts."""
    assert start(shells="/nowhere/bash /nowhere/sh").run("exit 6").code == 6


def test_any_bytes_of_a_script_arrive(start: Start) -> None:
    """Quotes, backslashes, tabs and UTF-8 are the script's own."""
    script = "cat <<'END'\n a\\b \"c\" 'd' $e `f`\t\\\n\N{GREEK SMALL LETTER ALPHA}\nEND\n"

    ended = start().run(script)

    assert ended.stdout.decode() == script.partition("\n")[2].replace("END\n", "")


def test_a_large_output_comes_whole(start: Start) -> None:
    """The line that ends a script is found behind any amount of output, on both streams."""
    line = "x" * 99
    ended = start().run(
        f"i=0; while [ $i -lt 5000 ]; do echo {line}; echo {line} >&2; i=$((i+1)); done; exit 2"
    )

    assert (ended.code, len(ended.stdout), len(ended.stderr)) == (2, 500_000, 500_000)


def test_a_scripts_nul_bytes_pass(start: Start) -> None:
    """The keeper's own lines start with NUL; a script may print that as well."""
    assert start().run("printf 'a\\000b\\000'").stdout == b"a\0b\0"


def test_a_script_of_gitlab_runner_cannot_eat_what_follows(start: Start) -> None:
    """What reads stdin in a script sees an end, and the next script is untouched."""
    kept = start()

    first = kept.run("cat </dev/null; echo done")
    second = kept.run("echo next", "another-nonce")

    assert (first.stdout, second.stdout) == (b"done\n", b"next\n")


def test_what_an_entrypoint_exports_reaches_scripts(start: Start, programs: Path) -> None:
    """A script is a child of the image's entrypoint, as under the Docker executor."""
    entry = (str(programs / "sh"), "-c", 'FROM_ENTRY="a b  c"; export FROM_ENTRY; exec "$@"', "sh")

    kept = start(entrypoint=entry)

    assert kept.run('printf %s "$FROM_ENTRY"').stdout == b"a b  c"


def test_what_an_entrypoint_prints_comes_before(start: Start, programs: Path) -> None:
    """It belongs to prepare and to no script."""
    entry = (str(programs / "sh"), "-c", 'echo hello; echo oops >&2; exec "$@"', "sh")

    kept = start(entrypoint=entry)

    assert kept.before_ready[1] == b"hello\n"
    assert kept.run("echo mine").stdout == b"mine\n"


NAMES = "again code d end f h keep l nonce p s shell size take u word"


def test_no_variable_of_an_image_is_touched(start: Start) -> None:
    """Whatever the keeper calls its own variables, a script sees the image's."""
    names = NAMES.split()
    kept = start(environment={name: f"the image's {name}" for name in names})
    script = "".join(f"echo {name}=${name}\n" for name in names)

    for nonce in ("first-nonce", "second-nonce"):
        seen = kept.run(script, nonce).stdout.decode().splitlines()
        assert seen == [f"{name}=the image's {name}" for name in names]


def test_a_time_limit_for_input_is_the_scripts_alone(start: Start) -> None:
    """Bash waits TMOUT seconds at most for what it reads; the keeper waits for the next script."""
    kept = start(environment={"TMOUT": "1"})
    kept.run("true", "first-nonce")
    time.sleep(1.5)

    assert kept.run("echo $TMOUT", "second-nonce").stdout == b"1\n"


def test_a_script_does_not_learn_the_nonce(start: Start) -> None:
    """What marks the end of a script is in no variable of it and in no process's arguments."""
    kept = start()

    ended = kept.run(
        "set; export -p; for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; done; true",
        "6d61726b6572",
    )

    assert ended.code == 0
    assert b"6d61726b6572" not in ended.stdout


def test_a_script_that_forges_an_end_changes_nothing(start: Start) -> None:
    """A line that only looks like the keeper's is output like any other."""
    ended = start().run("printf '\\000forged 0\\n'; exit 6", "the-true-nonce")

    assert (ended.code, ended.stdout) == (6, b"\0forged 0\n")


def test_what_a_script_leaves_running_ends_with_it(start: Start) -> None:
    """Background processes, also those that ignore signals, do not reach the next sub-stage."""
    kept = start()

    ended = kept.run("(trap '' TERM HUP INT; sleep 4711) & sleep 4712 & echo started; exit 0")

    assert (ended.code, ended.stdout) == (0, b"started\n")
    kept.wait_until_gone("4711", "4712")
    assert kept.run("echo next", "another-nonce").stdout == b"next\n"


def test_a_process_that_forks_again_and_again_ends_too(start: Start) -> None:
    """Killing goes on until nothing new turns up."""
    kept = start()

    kept.run("(i=0; while [ $i -lt 300 ]; do sleep 4711 & i=$((i+1)); done; sleep 4712) & exit 0")

    kept.wait_until_gone("4711", "4712")


def test_what_an_entrypoint_started_stays(start: Start, programs: Path) -> None:
    """A database that an image's entrypoint starts serves all sub-stages."""
    entry = (str(programs / "sh"), "-c", 'sleep 4711 >/dev/null 2>&1 & exec "$@"', "sh")
    kept = start(entrypoint=entry)

    kept.run("sleep 4712 & true")
    kept.run("sleep 4713 & true", "another-nonce")

    kept.wait_until_gone("4712", "4713")
    assert "4711" in kept.arguments()


def test_files_arrive_as_they_were_sent(start: Start) -> None:
    """Certificates and logins come through stdin; each ends in exactly one newline."""
    files = {
        f"{DIRECTORY}/docker/config.json": b'{"auths": {"a\\\\b": {"auth": "eHg="}}}',
        f"{DIRECTORY}/certs/client/key.pem": b"-----BEGIN-----\n  ab\\n c \n-----END-----\n",
    }

    kept = start(files=files)

    assert (kept.directory / "docker/config.json").read_bytes() == (
        files[f"{DIRECTORY}/docker/config.json"] + b"\n"
    )
    assert (kept.directory / "certs/client/key.pem").read_bytes() == (
        files[f"{DIRECTORY}/certs/client/key.pem"]
    )
    assert stat.S_IMODE((kept.directory / "docker").stat().st_mode) == 0o700


def test_docker_finds_the_jobs_login_at_home(start: Start) -> None:
    """~/.docker leads to the job's DOCKER_CONFIG."""
    kept = start(files={f"{DIRECTORY}/docker/config.json": b"{}"})

    assert (kept.home / ".docker").resolve() == kept.directory / "docker"


def test_an_images_own_docker_directory_stays(start: Start, tmp_path: Path) -> None:
    """Its plugins are found, its config.json joins ours, and what a script writes there counts."""
    home = tmp_path / "home/.docker"
    (home / "cli-plugins").mkdir(parents=True)
    (home / "cli-plugins/docker-buildx").write_text("")
    (home / "config.json").write_text('{\n "credHelpers": {"r.example": "ecr"}\n}\n')
    ours = b'{"auths": {"registry.example": {"auth": "eDp5"}}}'

    kept = start(files={f"{DIRECTORY}/docker/config.json": ours})

    assert (kept.directory / "docker/cli-plugins/docker-buildx").exists()
    assert json.loads((kept.directory / "docker/config.json").read_text()) == {
        "auths": {"registry.example": {"auth": "eDp5"}},
        "credHelpers": {"r.example": "ecr"},
    }
    (kept.home / ".docker/config.json").write_text("written by a script")
    assert (kept.directory / "docker/config.json").read_text() == "written by a script"


@pytest.mark.parametrize("content", ["", "{}", " {\n}\n\n", "no json", "\n"])
def test_an_image_with_an_empty_configuration(start: Start, tmp_path: Path, content: str) -> None:
    """It adds nothing, and takes nothing from ours: a comma too many would make it no JSON."""
    (tmp_path / "home/.docker").mkdir(parents=True)
    (tmp_path / "home/.docker/config.json").write_text(content)
    ours = b'{"auths": {"r.example": {"auth": "eHg="}}}'

    kept = start(files={f"{DIRECTORY}/docker/config.json": ours})

    assert (kept.directory / "docker/config.json").read_bytes() == ours + b"\n"


def test_a_script_is_nobodys_but_the_jobs(start: Start) -> None:
    """It holds every variable in clear: its owner alone reads it, and only while it runs."""
    kept = start()

    mode = kept.run(f"ls -l {kept.directory}/script").stdout
    kept.run("echo hunter2", "another-nonce")

    assert mode.startswith(b"-rw-------")
    assert b"hunter2" not in (kept.directory / "script").read_bytes()


def test_a_script_that_empties_the_directory_harms_itself_only(start: Start) -> None:
    """`rm -rf` on the tmpfs takes the login, and the next script still runs and ends."""
    kept = start()

    first = kept.run(f"rm -rf {kept.directory}/*; exit 3")
    second = kept.run("sleep 4711 & exit 4", "second-nonce")
    third = kept.run("exit 5", "third-nonce")

    assert (first.code, second.code, third.code) == (3, 4, 5)
    kept.wait_until_gone("4711", "4712")


def test_the_umask_of_an_image_reaches_scripts(start: Start, programs: Path) -> None:
    """The keeper's own files are private; what a script makes is as its image wants it."""
    entry = (str(programs / "sh"), "-c", 'umask 027; exec "$@"', "sh")

    assert start(entrypoint=entry).run("umask").stdout.strip() in {b"0027", b"027"}


def test_the_helper_is_made_ready_for_a_jobs_user(start: Start, tmp_path: Path) -> None:
    """Its scripts have the umask that they are given, and its volumes are open to everybody."""
    opened = [tmp_path / "builds", tmp_path / "it's a cache"]
    for each in opened:
        each.mkdir(mode=0o700)

    kept = start(umask="0000", opened=[str(each) for each in opened])

    assert [stat.S_IMODE(each.stat().st_mode) for each in opened] == [0o777, 0o777]
    assert kept.run("umask; echo $#").stdout.split() in ([b"0000", b"0"], [b"000", b"0"])


def test_volumes_are_opened_again_before_the_first_script_only(
    start: Start, tmp_path: Path
) -> None:
    """The engine gives an empty volume the mode of the directory in the last image that has it."""
    opened = tmp_path / "builds"
    opened.mkdir()
    kept = start(opened=[str(opened)])

    modes = []
    for nonce in ("first-nonce", "second-nonce"):
        opened.chmod(0o700)
        kept.run("true", nonce)
        modes.append(stat.S_IMODE(opened.stat().st_mode))

    assert modes == [0o777, 0o700]


def test_what_an_earlier_job_left_is_removed(start: Start, tmp_path: Path) -> None:
    """A directory with file variables of a job that was killed, whatever its name holds."""
    left = tmp_path / "it's a project.tmp"
    left.mkdir()
    (left / "KEY").write_text("secret")

    start(forgotten=str(left))

    assert not left.exists()


def test_a_script_that_was_cut_off_does_not_run(start: Start) -> None:
    """A `run` call that is killed while it sends leaves half a script, which nobody wants."""
    kept = start()
    kept.send(b"run lost-nonce 30\necho never\n#2345678901234567\nanother-nonce\n")

    assert kept.run("echo next; exit 3", "next-nonce").stdout == b"next\n"


def test_a_keeper_that_waits_for_the_rest_of_a_script_is_freed(start: Start) -> None:
    """Nobody sends it any more: what was to read it is killed, and after a line the next comes.

    Who waits for it all the same is told: the kernel may have killed it where memory ran out.
    """
    kept = start()
    kept.send(b"run lost-nonce 4711\necho never\n")
    kept.wait_until_there("4711", "count=4711")
    lost = Going(kept, "lost-nonce")

    kept.signal("KILL")
    # Until it is gone it may still take the line.
    kept.wait_until_gone("4711", "count=4711")
    kept.send(b"\n")

    ended = lost.finish()
    assert (ended.code, ended.untaken) == (None, True)
    assert kept.run("exit 8", "next-nonce").code == 8


def test_the_keeper_ends_with_its_stdin(start: Start) -> None:
    """A container whose engine ends its stdin does not linger."""
    assert start().close() == 0


def test_term_ends_an_idle_keeper(start: Start) -> None:
    """A container that is stopped does not wait to be killed; scripts do not inherit the trap."""
    kept = start()
    # What the tests themselves were started with may be ignored, such as SIGINT.
    assert b"TERM" not in kept.run("trap").stdout
    assert kept.run("kill -TERM $$", "another-nonce").code == 143

    assert kept.terminate() == 143


STAYS = '"$@"; exit $?'


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("signal", ["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "PIPE"])
def test_a_script_that_signals_its_parent_or_its_group(
    start: Start, programs: Path, signal: str, *, first: bool
) -> None:
    """Its status is its own, and the keeper goes on, whether it is the first process or not."""
    entry = () if first else (str(programs / "sh"), "-c", STAYS, "sh")
    kept = start(entrypoint=entry)

    to_parent = kept.run(f"kill -{signal} $PPID; exit 3", "first-nonce")
    to_group = kept.run(
        f"trap '' {signal}; kill -{signal} 0; trap - {signal}; echo on; exit 4", "second-nonce"
    )
    at_its_end = kept.run(f"trap 'kill -{signal} 0' EXIT; true", "third-nonce")

    assert (to_parent.code, to_group.code, to_group.stdout) == (3, 4, b"on\n")
    assert at_its_end.code is not None
    assert kept.run("exit 8", "last-nonce").code == 8


def test_an_idle_keeper_does_not_mind_signals(start: Start) -> None:
    """What an entrypoint left running may send them."""
    kept = start()
    kept.run("true")
    for name in ("INT", "HUP", "USR1"):
        kept.signal_first(name)

    assert kept.run("exit 8", "another-nonce").code == 8


@pytest.mark.parametrize(
    ("redirection", "merged"),
    [
        ("exec 2>&1", True),
        ("exec > >(cat) 2>&1", True),
        ("exec >&2", True),
        ("exec 2> >(cat >&2)", False),
        ("exec > >(cat) 2> >(cat >&2)", False),
    ],
)
def test_an_entrypoint_that_leads_its_streams_elsewhere(
    start: Start, redirection: str, *, merged: bool
) -> None:
    """All that the script prints arrives, in order, and its end is found."""
    bash = shutil.which("bash")
    assert bash
    kept = start(entrypoint=(bash, "-c", f'{redirection}; exec "$@"', "bash"))

    for nonce in ("first-nonce", "second-nonce"):
        ended = kept.run("echo one; echo two >&2; echo three; exit 3", nonce)
        assert ended.code == 3
        if merged:
            assert ended.stdout + ended.stderr == b"one\ntwo\nthree\n"
        else:
            assert (ended.stdout, ended.stderr) == (b"one\nthree\n", b"two\n")


NON_BLOCKING = """\
import fcntl, os
for each in (1, 2):
    fcntl.fcntl(each, fcntl.F_SETFL, fcntl.fcntl(each, fcntl.F_GETFL) | os.O_NONBLOCK)
"""
FLAGS = (
    "while read -r key value; do case $key in flags:) echo $value;; esac; done </proc/self/fdinfo/1"
)


def test_flags_of_a_scripts_streams_end_with_it(start: Start) -> None:
    """A program that makes stdout non-blocking (node, ssh) does so for its own script only."""
    kept = start()
    before = kept.run(FLAGS, "first-nonce").stdout

    kept.run(f"{sys.executable} -c {quoted(NON_BLOCKING)}; exit 3", "second-nonce")

    assert int(before, 8) & os.O_NONBLOCK == 0
    assert kept.run(FLAGS, "third-nonce").stdout == before


SLOW_SOCKET = """\
import os, socket, sys, time
ours, theirs = socket.socketpair()
if os.fork() == 0:
    theirs.close()
    while data := ours.recv(65536):
        os.write(1, data)
        time.sleep(0.5 if len(data) > 1000 else 0)
    os._exit(0)
theirs.setblocking(False)
os.dup2(theirs.fileno(), 1)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_an_end_waits_for_its_place_in_a_stream_that_is_full(start: Start) -> None:
    """One that cannot be opened again, such as a socket, stays as a script made it."""
    kept = start(entrypoint=(sys.executable, "-c", SLOW_SOCKET))

    ended = kept.run("while printf '%01000d' 0; do :; done 2>/dev/null; exit 3")

    assert ended.code == 3
    assert kept.run("exit 8", "another-nonce").code == 8


@pytest.mark.parametrize("missing", [(), ("head",), ("head", "dd")])
@pytest.mark.parametrize("full", [True, False])
def test_a_script_without_a_place_is_told(
    start: Start, programs: Path, missing: tuple[str, ...], *, full: bool
) -> None:
    """The directory may be full or closed to the keeper; once it is writable again, scripts run."""
    for each in missing:
        (programs / each).unlink()
    kept = start()
    spoil = "ln -s /dev/full" if full else "mkdir"
    script = f"{kept.directory}/script"
    kept.run(f"rm {script}; {spoil} {script}; exit 0", "first-nonce")

    ended = kept.run("run run 3\n" * 5000, "second-nonce")

    assert (ended.code, ended.untaken, ended.stdout, ended.stderr) == (None, True, b"", b"")
    (kept.directory / "script").unlink() if full else (kept.directory / "script").rmdir()
    assert kept.run("exit 8", "third-nonce").code == 8


def test_a_script_begins_where_the_image_says(start: Start) -> None:
    """The directory is the image's also after a script that removed it and made it again."""
    kept = start(workdir="work")
    work = kept.run("pwd").stdout

    kept.run(f"rmdir {work.decode().strip()}", "first-nonce")
    without = kept.run("pwd", "second-nonce")
    kept.run(f"mkdir {work.decode().strip()}", "third-nonce")

    assert (without.stdout, without.stderr) == (b"/\n", b"")
    assert kept.run("pwd", "fourth-nonce").stdout == work


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts something as another user")
def test_processes_that_the_keeper_may_not_end_are_told(start: Start) -> None:
    """A container without CAP_KILL, or one whose user is not root, leaves those of other users."""
    setpriv = shutil.which("setpriv")
    assert setpriv
    kept = start(entrypoint=(setpriv, "--bounding-set=-kill", "--inh-caps=-kill"))

    mine = kept.run("sleep 4711 & true", "first-nonce")
    other = kept.run(f"{setpriv} --reuid=65534 sleep 4712 & sleep 0.2; exit 3", "second-nonce")

    assert (mine.code, mine.left, other.code, other.left) == (0, False, 3, True)
    kept.wait_until_gone("4711")
    kept.wait_until_there("4712")
