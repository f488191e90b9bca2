"""The `.sh` files, and the line that gives a program its variables."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import executor.shell
from executor.shell import given, program, quoted
from tests.keeping import Start

FILES = sorted(each.stem for each in Path(executor.shell.__file__).parent.glob("*.sh"))


@pytest.mark.parametrize(
    "text", ["plain", "", "it's", "''", '$x `y` \\ "z"', "a\nb", "-n", "\N{GREEK SMALL LETTER MU}"]
)
def test_quoted_text_is_one_word(start: Start, text: str) -> None:
    """Any text survives a shell."""
    assert start().run(f"printf %s {quoted(text)}").stdout == text.encode()


def test_a_program_is_given_its_variables(programs: Path) -> None:
    """Any value arrives as it is, and none is taken for a part of the program."""
    values = {"_a": "it's $(exit 3)", "_b": "", "_c": 'two\nlines\n; "x"'}
    text = given(**values) + 'printf "<%s>" "$_a" "$_b" "$_c"'

    done = subprocess.run(
        [str(programs / "sh"), "-c", text], capture_output=True, text=True, check=True
    )

    assert done.stdout == "".join(f"<{each}>" for each in values.values())


@pytest.mark.parametrize("name", FILES)
def test_every_shell_can_read_every_program(programs: Path, name: str) -> None:
    """The text that a container gets has no mistake for bash, dash or busybox."""
    done = subprocess.run(
        [str(programs / "sh"), "-n", "-c", program(name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_container_gets_no_comments() -> None:
    """The comments are for those who read the files."""
    assert FILES
    assert [each for each in FILES if "shellcheck" in program(each)] == []


# --- the programs that no module of this package sends --------------------------------------------


def run(programs: Path, text: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a program with nothing but `programs` on its PATH; return its status and output."""
    done = subprocess.run(
        [str(programs / "sh"), "-c", text, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(programs), **environment},
        timeout=30,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def docker(programs: Path, text: str) -> None:
    """Put a `docker` on the PATH."""
    (programs / "docker").write_text(f"#!{programs}/sh\n{text}")
    (programs / "docker").chmod(0o755)


def test_a_process_says_whose_it_is(programs: Path) -> None:
    """The program prints user and group as the kernel has them."""
    code, said = run(programs, program("print_user"))

    assert (code, said.split()) == (0, [str(os.geteuid()), str(os.getegid())])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_owner_is_changed_for_all_in_a_directory(programs: Path, tmp_path: Path) -> None:
    """Its name may hold anything, and a directory that is not there is no fault."""
    (programs / "chown").symlink_to(shutil.which("chown") or "chown")
    given_away = tmp_path / "it's $HOME"
    (given_away / "below").mkdir(parents=True)

    for each in (given_away, tmp_path / "gone"):
        text = given(_owner="65534:65533", _directory=str(each)) + program("change_owner")
        assert run(programs, text) == (0, "")

    found = (given_away / "below").stat()
    assert (found.st_uid, found.st_gid) == (65534, 65533)


def test_containers_are_stopped_until_none_is_left(programs: Path, tmp_path: Path) -> None:
    """One that appears while others are stopped is stopped too, and each is printed once."""
    docker(
        programs,
        f"""cd {tmp_path}
case $1 in
  ps) [ ! -e second ] || echo c2; [ -e stopped ] || {{ echo c1; echo c2; }} ;;
  stop) echo "$*" >>stopped; if [ -e second ]; then rm second; else >second; fi ;;
esac
""",
    )

    code, said = run(programs, given(_seconds="5") + program("stop_containers"))

    assert (code, said) == (0, "c1\nc2\n")
    assert (tmp_path / "stopped").read_text() == "stop -t 5 c1 c2\nstop -t 5 c2\n"


@pytest.mark.parametrize("listens", [True, False])
def test_a_service_is_asked_on_each_of_its_ports(programs: Path, *, listens: bool) -> None:
    """One port that takes connections is enough."""
    (programs / "bash").symlink_to(shutil.which("bash") or "bash")
    with socket.socket() as closed, socket.socket() as other:
        closed.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        if listens:
            other.listen()
        ports = [str(each.getsockname()[1]) for each in (closed, other)]

        code, said = run(programs, program("ask_service"), "127.0.0.1", *ports)

    assert (code, said) == (0 if listens else 1, "")


@pytest.mark.parametrize("code", [0, 1])
def test_dind_is_asked_on_its_own_socket(programs: Path, tmp_path: Path, code: int) -> None:
    """Docker's client says whether the daemon answers there."""
    docker(programs, f'echo "$@"; exit {code}\n')
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "docker.sock"))

        found, said = run(programs, program("ask_dind"), XDG_RUNTIME_DIR=str(tmp_path))

    assert (found, said.split()[0], said.split()[-1]) == (code, "-H", "version")
