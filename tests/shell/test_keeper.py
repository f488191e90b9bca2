"""The shell program in a job's containers, run for real under three shells."""

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from executor.shell.keeper import (
    DIRECTORY,
    ENVIRONMENT,
    quoted,
    receiver,
    sent_environment,
    sent_files,
)
from executor.shell.processes import MARK_OURS, TELL_OURS
from tests.keeping import Going, Kept, namespaces_work, shell_directory

SHELLS = ("bash", "dash", "busybox")


class Start(Protocol):
    """Starts a keeper that ends with the test."""

    def __call__(self, **given: object) -> Kept: ...


@pytest.fixture(params=SHELLS)
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a PATH for one of the shells."""
    if not namespaces_work():
        pytest.skip("this user may not make a PID namespace: run as root")
    return shell_directory(tmp_path, request.param)


@pytest.fixture
def start(programs: Path, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a keeper."""
    started: list[Kept] = []

    def begin(**given: object) -> Kept:
        started.append(Kept(tmp_path, programs, **given))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for each in started:
        each.close()


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


@pytest.mark.parametrize(
    ("own", "first", "other", "ours"),
    [
        # a container of an engine on cgroup v1, and the same in a hybrid hierarchy
        ("9:cpu:/docker/a\n4:memory:/docker/a", "4:memory:/", "4:memory:/docker/a", True),
        ("4:memory:/docker/a\n0::/x", "4:memory:/", "4:memory:/docker/a/b\n0::/y", True),
        ("4:memory:/docker/a\n0::/x", "4:memory:/", "4:memory:/docker/ab\n0::/x", False),
        ("4:memory:/docker/a", "4:memory:/", "4:memory:/", False),
        # cgroup v2, with a cgroup namespace of the container's own, and without
        ("0::/", "0::/../../init.scope", "0::/", True),
        ("0::/", "0::/../../init.scope", "0::/below", True),
        ("0::/", "0::/../../init.scope", "0::/../b", False),
        ("0::/", "0::/../../init.scope", "0::/..", False),
        ("0::/system.slice/a", "0::/init.scope", "0::/system.slice/a", True),
        ("0::/system.slice/a", "0::/init.scope", "0::/system.slice/b", False),
        # an engine without cgroups: nothing tells who is whose
        ("0::/", "0::/", "0::/", False),
        ("", "", "", False),
        # gone meanwhile
        ("0::/", "0::/../../init.scope", None, False),
    ],
)
def test_whose_process_it_is(
    programs: Path,
    tmp_path: Path,
    own: str,
    first: str,
    other: str | None,
    ours: bool,  # noqa: FBT001
) -> None:
    """By its cgroup, where a container sees processes of others; in doubt it is not ours."""
    for name, text in (("self", own), ("1", first), ("77", other)):
        if text is not None:
            (tmp_path / "proc" / name).mkdir(parents=True)
            (tmp_path / "proc" / name / "cgroup").write_text(text and f"{text}\n")
    text = f"_d={tmp_path}\n{TELL_OURS}{MARK_OURS}if ours 77; then echo ours; else echo not; fi"
    text = text.replace('"$$"', "self").replace("/proc/", f"{tmp_path}/proc/")

    done = subprocess.run(
        [str(programs / "sh"), "-c", text], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("ours\n" if ours else "not\n", "")


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


def test_term_reaches_the_script(start: Start) -> None:
    """A script ends by its own trap, and the keeper takes the next one."""
    kept = start()
    going = kept.start("trap 'echo caught; exit 1' TERM\nwhile :; do sleep 4711 & wait $!; done\n")
    kept.wait_until_there("4711")

    kept.signal("TERM")
    ended = going.finish()

    assert (ended.code, ended.stdout) == (1, b"caught\n")
    assert kept.run("exit 8", "another-nonce").code == 8


def test_term_reaches_what_the_script_waits_for(start: Start) -> None:
    """A shell acts on a signal only when its child ends; so the child gets it too."""
    kept = start()
    going = kept.start("trap 'exit 1' TERM\nwhile :; do sleep 4711; done\n")
    # A shell that is about to start a child when a signal comes waits for that child.
    kept.wait_until_there("4711")

    kept.signal("TERM")

    assert going.finish().code == 1


def test_kill_ends_a_script_that_ignores_term(start: Start) -> None:
    """After SIGKILL the container is as good as before."""
    kept = start()
    going = kept.start("trap '' TERM\necho begun\nwhile :; do sleep 1; done\n")
    going.wait_for("begun")

    kept.signal("TERM")
    kept.signal("KILL")

    assert going.finish().code == 137
    assert kept.run("exit 8", "another-nonce").code == 8


def test_a_signal_without_a_script_hurts_nobody(start: Start, programs: Path) -> None:
    """A cancel may come when the script has just ended."""
    entry = (str(programs / "sh"), "-c", 'sleep 4711 >/dev/null 2>&1 & exec "$@"', "sh")
    kept = start(entrypoint=entry)
    kept.run("true")

    kept.signal("TERM")
    kept.signal("KILL")

    assert kept.run("exit 8", "another-nonce").code == 8
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


def test_an_images_docker_directory_without_a_file_leads_to_the_jobs(
    start: Start, tmp_path: Path
) -> None:
    """A script that writes ~/.docker/config.json is heard there, too."""
    (tmp_path / "home/.docker").mkdir(parents=True)

    kept = start(files={f"{DIRECTORY}/docker/config.json": b"{}"})

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


def test_a_prelude_runs_before_the_container_counts_as_ready(start: Start, tmp_path: Path) -> None:
    """The helper opens the builds directory and the umask for a job's user."""
    made = tmp_path / "builds"

    kept = start(prelude=f"umask 0000\nmkdir {quoted(str(made))}\n")

    assert stat.S_IMODE(made.stat().st_mode) == 0o777
    assert kept.run("umask").stdout.strip() in {b"0000", b"000"}


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
    """The directory may be full or closed to the keeper; once that is mended, scripts run again."""
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
    """Also after one that removed that directory, and then made it again."""
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


@pytest.mark.parametrize(
    "text", ["plain", "", "it's", "''", '$x `y` \\ "z"', "a\nb", "-n", "\N{GREEK SMALL LETTER MU}"]
)
def test_quoted_text_is_one_word(start: Start, text: str) -> None:
    """Any text survives a shell."""
    assert start().run(f"printf %s {quoted(text)}").stdout == text.encode()


def test_a_receiver_becomes_its_program(programs: Path, tmp_path: Path) -> None:
    """The sidecar's files are there before its program starts, which sees an end of stdin."""
    wanted = tmp_path / "certs/server/key.pem"
    shell = str(programs / "sh")
    program = (shell, "-c", f'cat "{wanted}"; cat; umask; echo "$1"', "sh", "an argument")
    command = receiver(program)

    done = subprocess.run(
        [shell, *command[1:]],
        input=sent_files([(str(wanted), b"secret\n")]) + b"left over\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    lines = done.stdout.split(b"\n")
    assert (lines[0], lines[1][-3:], lines[2]) == (b"secret", b"022", b"an argument")
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o600
    assert done.returncode == 0


def test_a_receivers_program_has_its_secret_variables(programs: Path, tmp_path: Path) -> None:
    """Whatever their values hold; a key that no shell takes is left out; no file stays behind."""
    variables = {"A": "it's\n $x `y`\n", "1ST": "no name", "B_2": "", "C": "\\n"}
    variables |= dict.fromkeys(("UID", "PPID", "SHELLOPTS", "OPTIND", "_"), "the shell's own")
    path = tmp_path / "run/environment"
    shell = str(programs / "sh")
    program = (shell, "-c", 'printf "[%s]" "$A" "$B_2" "$C"; ls "$0"', str(path))
    command = [each.replace(ENVIRONMENT, str(path)) for each in receiver(program)]

    done = subprocess.run(
        [shell, *command[1:]],
        input=sent_files([(str(path), sent_environment(variables))]),
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == b"[it's\n $x `y`\n][][\\n]"
    assert done.returncode != 0
    assert not path.exists()


def test_an_entrypoint_leaves_the_rest_of_stdin_to_the_keeper(programs: Path) -> None:
    """The receiver in front of it reads its own variables, and not a byte more."""
    path = programs.parent / "environment"
    shell = str(programs / "sh")
    entrypoint = (shell, "-c", 'export MADE="<$A>"; exec "$@"', "entrypoint")
    command = [
        each.replace(ENVIRONMENT, str(path)) for each in receiver(entrypoint, keeps_stdin=True)
    ]

    done = subprocess.run(
        [shell, *command[1:], shell, "-c", 'cat; printf "%s" "$MADE"'],
        input=sent_files([(str(path), sent_environment({"A": "secret"}))]) + b"the rest\n",
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
        timeout=30,
    )

    assert done.stdout == b"the rest\n<secret>"
