"""The programs by which builds trust private authorities, run for real without a dockerd."""

import json
import os
import stat
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from executor.plan.authorities import authority_files, authority_memory, authority_prelude
from executor.plan.inputs import Inputs
from tests.builders import some_inputs
from tests.plans import a_plan, dind_of

AUTHORITY = b"-----BEGIN CERTIFICATE-----\nprivate\n-----END CERTIFICATE-----\n"
DEV = {
    "destination": "/dev",
    "type": "tmpfs",
    "source": "tmpfs",
    "options": ["nosuid", "mode=755", "size=65536k"],
}
PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
SHM = {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid"]}
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def trusting(settings: str = "") -> Inputs:
    """Return a job of an administrator who has an authority of his own."""
    return replace(some_inputs(settings=settings), authorities=AUTHORITY)


@dataclass
class Machine:
    """A directory that stands for the sidecar's, and a `runc` that notes what it is called with."""

    directory: Path

    def local(self, text: str) -> str:
        """Return a program that works here in place of /run."""
        return text.replace("/run/dind-executor-authorities", str(self.place))

    @property
    def place(self) -> Path:
        return self.directory / "authorities"

    def prepare(self, program: str = "command -v runc; printenv SSL_CERT_FILE") -> list[str]:
        """Send the files, and start a program where dockerd would start; return its lines."""
        tools = self.directory / "tools"
        tools.mkdir()
        (tools / "runc").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self.directory}/called\n')
        (tools / "runc").chmod(0o755)
        for each in authority_files(trusting()):
            path = Path(self.local(each.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.local(each.content.decode()))
        prelude = self.local(authority_prelude(trusting()))
        done = subprocess.run(
            ["sh", "-c", prelude + program],
            env={"PATH": f"{tools}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    def runc(self, *args: str) -> list[str]:
        """Call the program before runc; return the arguments that the real one gets."""
        program = str(self.place / "bin" / "runc")
        subprocess.run([program, *args], check=True, timeout=30)
        return (self.directory / "called").read_text().splitlines()

    def bundle(self, name: str, mounts: list[object], *, bundle: str = "") -> Path:
        """Write what the engine hands to runc for a container; return its directory."""
        directory = self.directory / name
        root = directory / "rootfs"
        root.mkdir(parents=True)
        if bundle:
            path = root / BUNDLE
            path.parent.mkdir(parents=True)
            path.write_text(bundle)
        config = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": 0},
                "args": ["echo", '"env":[ {"destination":"/dev","type":"tmpfs"}'],
                "env": ["PATH=/bin", "SSL_CERT_FILE=/own.pem"],
            },
            "root": {"path": "rootfs"},
            "mounts": mounts,
            "hooks": {"prestart": [{"path": "/x", "env": ["A=b"]}]},
        }
        (directory / "config.json").write_text(json.dumps(config, separators=(",", ":")))
        return directory


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine without anything yet."""
    return Machine(tmp_path)


def config_of(bundle: Path) -> dict[str, object]:
    found = json.loads((bundle / "config.json").read_text())
    assert isinstance(found, dict)
    return found


def test_nothing_changes_without_the_setting() -> None:
    """A sidecar gets neither files, nor a program, nor memory for it."""
    inputs = some_inputs()

    assert authority_files(inputs) == ()
    assert authority_prelude(inputs) == ""
    assert authority_memory(inputs) == {}


def test_the_sidecar_has_them() -> None:
    """They lie in memory of its own, and a program before dockerd knows of them."""
    dind = dind_of(a_plan(trusting()))

    assert "/run/dind-executor-authorities" in dind.tmpfs
    assert AUTHORITY in [each.content for each in dind.files]
    assert dind.prelude.startswith(authority_prelude(trusting()))


def test_dockerd_finds_the_program_first(machine: Machine) -> None:
    """And dockerd itself trusts the authorities, beside all that its image does."""
    found, trusted = machine.prepare()

    assert found == str(machine.place / "bin" / "runc")
    assert AUTHORITY.decode() in Path(trusted).read_text()


def test_what_dockerd_trusts_by_the_jobs_own_word_stands(machine: Machine) -> None:
    """A variable of the service wins."""
    assert machine.prepare("true") == []
    prelude = machine.local(authority_prelude(trusting()))
    done = subprocess.run(
        ["sh", "-c", f"{prelude}printenv SSL_CERT_FILE"],
        env={"PATH": f"{machine.directory}/tools:{os.environ['PATH']}", "SSL_CERT_FILE": "/mine"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "/mine\n"


def test_a_sidecar_without_runc_starts_nevertheless(machine: Machine, tmp_path: Path) -> None:
    """Its log says what does not work."""
    machine.prepare("true")
    done = subprocess.run(
        ["/bin/sh", "-c", machine.local(authority_prelude(trusting())) + "echo started"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "started\n"
    assert "without runc on the PATH" in done.stderr


def test_a_container_is_given_them(machine: Machine) -> None:
    """It has a file with what its image trusts and the authorities, and variables that lead there."""
    machine.prepare()
    bundle = machine.bundle("one", [PROC, DEV, SHM], bundle="public")
    before = config_of(bundle)

    args = ["--root", "/r", "create", "--bundle", str(bundle), "--pid-file", "/p", "id-1"]
    assert machine.runc(*args) == args

    after = config_of(bundle)
    mounts = after["mounts"]
    assert isinstance(mounts, list)
    source = Path(mounts[2]["source"])
    assert mounts == [
        PROC,
        DEV,
        {
            "destination": "/dev/dind-executor",
            "type": "bind",
            "source": str(source),
            "options": ["rbind", "ro"],
        },
        SHM,
    ]
    process = after["process"]
    assert isinstance(process, dict)
    assert process["env"][0] == "SSL_CERT_FILE=/dev/dind-executor/ca.pem"
    assert "NODE_EXTRA_CA_CERTS=/dev/dind-executor/ca.pem" in process["env"]
    # the image's own comes later, and the last one counts
    assert process["env"][-2:] == ["PATH=/bin", "SSL_CERT_FILE=/own.pem"]
    process["env"] = process["env"][-2:]
    mounts.pop(2)
    assert after == before
    assert (source / "ca.pem").read_text() == f"public\n{AUTHORITY.decode()}"
    assert (source / "apt.conf").read_text() == (
        'Acquire::https::CAInfo "/dev/dind-executor/ca.pem";\n'
    )
    assert stat.S_IMODE((source / "ca.pem").stat().st_mode) == 0o644


def test_the_file_system_of_the_container_is_left_alone(machine: Machine) -> None:
    """Whatever a build finds there could end in an image."""
    machine.prepare()
    bundle = machine.bundle("one", [DEV], bundle="public")

    machine.runc("run", "--bundle", str(bundle), "id-1")

    assert [path.name for path in bundle.rglob("*") if path.is_file()] == [
        "config.json",
        "ca-certificates.crt",
    ]
    assert (bundle / "rootfs" / BUNDLE).read_text() == "public"


def test_an_image_that_trusts_nobody(machine: Machine) -> None:
    """It is given what the sidecar trusts, in one file for all such images."""
    machine.prepare()
    for name in ("one", "two"):
        machine.runc("create", "--bundle", str(machine.bundle(name, [DEV])), name)

    sources = {
        mount["source"]
        for name in ("one", "two")
        for mount in config_of(machine.directory / name)["mounts"]  # type: ignore[attr-defined]
        if mount["destination"] == "/dev/dind-executor"
    }

    (source,) = sources
    assert AUTHORITY.decode() in (Path(source) / "ca.pem").read_text()


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("/pki/bundle", True),
        ("../../../pki/bundle", True),
        ("../../../../../../../pki/bundle", True),
        ("/linked/bundle", True),
        ("ca-certificates.crt", False),
        ("{outside}", False),
        ("../../../../outside", False),
        ("/out/outside", False),
    ],
)
def test_a_link_of_an_image_leads_to_its_own_files(
    machine: Machine, link: str, *, found: bool
) -> None:
    """What the sidecar has, its keys for example, is not shown to a container."""
    machine.prepare()
    outside = machine.directory / "one" / "outside"
    bundle = machine.bundle("one", [DEV])
    outside.write_text("secret")
    path = bundle / "rootfs" / BUNDLE
    path.parent.mkdir(parents=True)
    path.symlink_to(link.format(outside=outside))
    (bundle / "rootfs" / "pki").mkdir()
    (bundle / "rootfs" / "pki" / "bundle").write_text("public")
    (bundle / "rootfs" / "linked").symlink_to("/pki")
    (bundle / "rootfs" / "out").symlink_to(outside.parent)

    machine.runc("create", "--bundle", str(bundle), "id-1")

    made = [each.read_text() for each in machine.place.glob("*/ca.pem")]
    assert len(made) == 1
    assert AUTHORITY.decode() in made[0]
    assert made[0].startswith("public\n") is found
    assert "secret" not in made[0]


def test_a_container_with_the_machines_devices(machine: Machine) -> None:
    """What is not the container's own memory is not written to: it goes without."""
    machine.prepare()
    bind = {"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]}
    bundle = machine.bundle("one", [PROC, bind], bundle="public")
    before = config_of(bundle)

    machine.runc("create", "--bundle", str(bundle), "id-1")

    assert config_of(bundle) == before


@pytest.mark.parametrize(("container", "has"), [("given", True), ("other", False)])
def test_a_command_in_a_container(machine: Machine, container: str, has: bool) -> None:  # noqa: FBT001
    """`docker exec` has the variables in a container that was given the file, and only there."""
    machine.prepare()
    machine.runc("create", "--bundle", str(machine.bundle("one", [DEV])), "given")
    process = machine.directory / "process"
    process.write_text('{"user":{},"args":["sh"],"env":["PATH=/bin"],"cwd":"/"}\n')

    machine.runc("exec", "--process", str(process), "--detach", container)

    env = json.loads(process.read_text())["env"]
    assert env[-1] == "PATH=/bin"
    assert ("SSL_CERT_FILE=/dev/dind-executor/ca.pem" in env) is has


@pytest.mark.parametrize("args", [("--version",), ("delete", "--force", "id"), ("state", "id"), ()])
def test_any_other_call_is_passed_on(machine: Machine, args: tuple[str, ...]) -> None:
    """runc is asked the same, whatever it is asked."""
    machine.prepare()

    assert machine.runc(*args) == (list(args) or [""])
