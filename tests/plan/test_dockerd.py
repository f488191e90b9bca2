"""What dockerd is told, as a shell makes its arguments of the plan's."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.plan import dockerd
from executor.plan.dockerd import dockerd_prelude, listens_plainly, registry_arguments
from executor.plan.inputs import Facts, Inputs
from executor.plan.transport import Transport
from executor.spec import ImageFacts, Surroundings
from tests.builders import some_inputs

TLS = Transport(tls=True, cert_dir="/certs")
PLAIN = Transport(tls=False, cert_dir="")
POOL = ["--bip=10.216.0.1/17", "--default-address-pool=base=10.216.128.0/17,size=24"]
OPT = "--default-network-opt=bridge=com.docker.network.driver.mtu=1400"
MTU = "[docker]\nnetwork_mtu = 1400\n"
V6 = "[docker]\nenable_ipv6 = true\n"
V6_ARGUMENTS = ["--ipv6", "--fixed-cidr-v6=fda9:a2b3:19f3:1::/64"]
ENTRYPOINTS = ("--host=unix:///var/run/docker.sock", "--host=tcp://0.0.0.0:2376", "--tlsverify")
"""What the official entrypoint says itself."""
UNIX, TCP = "--host=unix:///var/run/docker.sock", "--host=tcp://0.0.0.0"
CERTIFICATES = [
    "--tlsverify",
    "--tlscacert=/certs/server/ca.pem",
    "--tlscert=/certs/server/cert.pem",
    "--tlskey=/certs/server/key.pem",
]

NOTHING_AROUND = Surroundings()


class Sidecar:
    """A place where a shell finds a dockerd that prints its arguments, and nobody may mount."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        monkeypatch.setattr(dockerd, "_DIRECTORY", f"{directory}/bin")
        self.add("mount", "exit 32")
        self.add("iptables", f'echo "$*" >>{directory}/rules')

    def add(self, name: str, text: str) -> None:
        """Add a program."""
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)

    def started(
        self,
        inputs: Inputs,
        *program: str,
        around: Surroundings = NOTHING_AROUND,
        version: str = "28.1.0",
        config: str = "",
        way: Transport = TLS,
        kept: tuple[str, ...] = (),
        environment: str = "",
    ) -> list[str]:
        """Return what dockerd gets of a service's program, of this version and configuration."""
        says = f"echo 'Docker version {version}, build x'"
        self.add("dockerd", f'[ "$*" != --version ] || exec {says}\nprintf \'%s\\n\' "$@"')
        self.add("cat", f"printf '%s' '{config}'")
        prelude = dockerd_prelude(inputs, Facts(around), way, kept)
        done = subprocess.run(
            ["sh", "-c", f'{prelude}exec "$@"', "sh", *program],
            env={
                "PATH": f"{self.directory}:/usr/bin:/bin",
                **dict(each.split("=") for each in environment.split()),
            },
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    def added(self, inputs: Inputs, *command: str, **more: Any) -> list[str]:
        """Return what dockerd gets behind the entrypoint's arguments."""
        found = self.started(inputs, "dockerd", *ENTRYPOINTS, *command, **more)
        assert set(ENTRYPOINTS) <= set(found)
        return [each for each in found if each not in ENTRYPOINTS]


@pytest.fixture
def sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sidecar:
    """Return a place for a dockerd."""
    return Sidecar(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("settings", "command", "added"),
    [
        ("", (), POOL),
        ("", ("--debug",), POOL),
        (MTU, (), ["--mtu=1400", OPT, *POOL]),
        (MTU, ("--mtu=1300",), [OPT, *POOL]),
        (MTU, ("--default-network-opt=bridge=x=y",), ["--mtu=1400", *POOL]),
        ("", ("--bip=10.1.1.1/24",), POOL[1:]),
        ("", ("-b", "br0"), POOL[1:]),
        ("", ("--default-address-pool=base=10.2.0.0/16,size=24",), POOL[:1]),
        ('[dind]\ncommand = ["--bip=10.1.1.1/24"]', ("--debug",), POOL[1:]),
        ('[docker]\ndns = ["10.216.4.4"]', (), [each.replace("10.216", "10.217") for each in POOL]),
        (V6, (), [*POOL, *V6_ARGUMENTS]),
        (V6, ("--ipv6", "--fixed-cidr-v6=fd00::/64"), POOL),
        (
            '[dind]\nregistry_mirrors = ["https://m"]\ninsecure_registries = ["r:5000"]',
            ("--registry-mirror=https://mine",),
            [*POOL, "--registry-mirror=https://m", "--insecure-registry=r:5000"],
        ),
    ],
)
def test_what_is_added(
    sidecar: Sidecar, settings: str, command: tuple[str, ...], added: list[str]
) -> None:
    """Nothing is added that the author or the administrator said in dockerd's own words."""
    inputs = some_inputs(settings=settings)
    explicit = [*inputs.settings.dind.command, *command]
    assert sidecar.added(inputs, *command) == [*explicit, *added]


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ('[dind]\nregistry_mirrors = ["http://10.216.4.4"]', {}),
        ('[dind]\ninsecure_registries = ["10.216.4.4:5000"]', {}),
        ('[dind]\ninsecure_registries = ["10.216.4.0/24"]', {}),
        ("", {"https_proxy": "http://10.216.4.4:3128"}),
    ],
)
def test_addresses_that_dind_needs_stay_in_reach(
    sidecar: Sidecar, settings: str, values: dict[str, str]
) -> None:
    """A network inside that has them would lead requests astray."""
    inputs = replace(some_inputs(settings=settings), values=values)
    first, second, *_ = sidecar.added(inputs)
    assert [first, second] == [each.replace("10.216", "10.217") for each in POOL]


@pytest.mark.parametrize(
    ("config", "left_out"),
    [
        ('{"mtu": 1300}', "--mtu"),
        ('{"bip":"10.0.0.1/24"}', "--bip"),
        ('{"bridge": "none"}', "--bip"),
        ('{"bridge":"br0"}', "--bip"),
        ('{"default-address-pools": []}', "--default-address-pool"),
        ('{"default-network-opts": {"bridge": {}}}', "--default-network-opt"),
        ('{"registry-mirrors": []}', "--registry-mirror"),
        ('{"insecure-registries": []}', "--insecure-registry"),
    ],
)
def test_an_images_own_configuration_stands(sidecar: Sidecar, config: str, left_out: str) -> None:
    """dockerd would refuse to start if it got a directive from both."""
    around = Surroundings(1400, mirrors=("https://m",), insecure_registries=("r",))
    inputs = some_inputs()

    everything = sidecar.added(inputs, around=around)
    found = sidecar.added(inputs, around=around, config=config)

    gone = [each for each in everything if each not in found]
    assert [each.partition("=")[0] for each in gone] == [left_out]


@pytest.mark.parametrize(
    ("config", "command"),
    [('{"fixed-cidr": "172.17.0.0/25"}', ()), ("", ("--fixed-cidr=172.17.0.0/25",))],
)
def test_a_part_of_the_usual_addresses(
    sidecar: Sidecar, config: str, command: tuple[str, ...]
) -> None:
    """It must lie in the network of the bridge, which an older dockerd takes from its pools."""
    assert sidecar.added(some_inputs(), *command, config=config) == [*command]


def test_an_older_dockerd(sidecar: Sidecar) -> None:
    """It is not told what it does not know; TCP is held to the MTU in another way."""
    around = Surroundings(mtu=1400)
    inputs = some_inputs(settings=V6)

    assert sidecar.added(inputs, around=around, version="20.10.24+dfsg1") == [
        "--mtu=1400",
        *POOL,
        *V6_ARGUMENTS,
        "--ip6tables",
        "--experimental",
    ]
    assert "--clamp-mss-to-pmtu" in (sidecar.directory / "rules").read_text()


@pytest.mark.parametrize("version", ["", "unknown"])
def test_a_dockerd_of_no_known_version(sidecar: Sidecar, version: str) -> None:
    """A version that cannot be read counts as old."""
    found = sidecar.added(some_inputs(), around=Surroundings(mtu=1400), version=version)
    assert found == ["--mtu=1400", *POOL]


def test_the_version_is_asked_while_the_service_begins(sidecar: Sidecar) -> None:
    """It is there when dockerd starts, and nobody asks where nobody has to know."""
    program = [
        "sh",
        "-c",
        "sleep 1; cp $0/version $0/seen; exec dockerd",
        f"{sidecar.directory}/bin",
    ]
    found = sidecar.started(some_inputs(), *program, around=Surroundings(mtu=1400))
    assert OPT in found
    seen = sidecar.directory / "bin" / "seen"
    assert seen.read_text() == "Docker version 28.1.0, build x\n"
    seen.unlink()
    (sidecar.directory / "bin" / "version").unlink()
    assert OPT not in sidecar.started(some_inputs(), "dockerd")
    assert not (sidecar.directory / "bin" / "version").exists()


def test_the_engines_registries_are_dinds(sidecar: Sidecar) -> None:
    """The engine's count where the settings name none and do not turn them off."""
    around = Surroundings(mirrors=("https://engines",), insecure_registries=("r:1",))
    mirrors = 'registry_mirrors = ["https://ours"]'
    cases = {
        "": ["--registry-mirror=https://engines", "--insecure-registry=r:1"],
        mirrors: ["--registry-mirror=https://ours", "--insecure-registry=r:1"],
        "inherit_registries = false": [],
    }
    for settings, added in cases.items():
        inputs = some_inputs(settings=f"[dind]\n{settings}")
        assert sidecar.added(inputs, around=around) == [*POOL, *added]


@pytest.mark.parametrize(
    "program",
    [
        ["dockerd"],
        ["env", "-u", "DOCKER_HOST", "dockerd"],
        ["sh", "-c", "true; exec dockerd"],
        ["sh", "-c", "dockerd & wait $!"],
    ],
)
def test_whatever_starts_dockerd(sidecar: Sidecar, program: list[str]) -> None:
    """It gets what it is told, and listens where the job expects it."""
    inputs = some_inputs(settings='[dind]\ncommand = ["--debug"]')
    found = sidecar.started(inputs, *program, kept=("--registry-mirror=http://m",))
    expected = ["--debug", UNIX, f"{TCP}:2376", *CERTIFICATES, *POOL, "--registry-mirror=http://m"]
    assert found == expected


def test_what_is_kept_of_another_service_gives_way_to_the_images_file(sidecar: Sidecar) -> None:
    """dockerd ends where both have mirrors."""
    kept = ("--registry-mirror=http://m", "--insecure-registry=r:5000")
    config = '{"registry-mirrors": ["http://own"]}'
    assert sidecar.added(some_inputs(), kept=kept, config=config) == [*POOL, kept[1]]


@pytest.mark.parametrize(
    ("way", "command", "expected"),
    [
        (TLS, (UNIX,), [UNIX, f"{TCP}:2376", *CERTIFICATES]),
        (PLAIN, (), ["--tls=false", UNIX, f"{TCP}:2375"]),
        (PLAIN, (UNIX, f"{TCP}:2375"), ["--tls=false", UNIX, f"{TCP}:2375"]),
        (PLAIN, ("-H", "tcp://[::]:2375/"), ["--tls=false", "-H", "tcp://[::]:2375/"]),
        (PLAIN, ("-H=tcp://0.0.0.0:2375",), ["--tls=false", "-H=tcp://0.0.0.0:2375"]),
        (PLAIN, ("-Htcp://0.0.0.0:2375",), ["--tls=false", "-Htcp://0.0.0.0:2375"]),
        (PLAIN, (TCP,), ["--tls=false", TCP]),
        (PLAIN, ("--host", "tcp://[::]"), ["--tls=false", "--host", "tcp://[::]"]),
        # the author's own client goes there, and the job's here
        (PLAIN, (f"{TCP}:1234",), ["--tls=false", f"{TCP}:1234", f"{TCP}:2375"]),
        (PLAIN, (f"{TCP}:2375", "--tls=false"), [f"{TCP}:2375", "--tls=false"]),
        # where the administrator forbids plain TCP
        (TLS, (f"{TCP}:2375",), [f"{TCP}:2375", f"{TCP}:2376", *CERTIFICATES]),
        (TLS, (f"{TCP}:2376", "--tls"), [f"{TCP}:2376", "--tls"]),
    ],
)
def test_where_dockerd_listens(
    sidecar: Sidecar, way: Transport, command: tuple[str, ...], expected: list[str]
) -> None:
    """It is where the job expects it, beside what the service says itself."""
    found = sidecar.started(some_inputs(), "dockerd", *command, way=way)
    assert found == [*expected, *POOL]


@pytest.mark.parametrize(
    ("config", "left_out"),
    [('{"hosts": ["fd://"]}', {UNIX, f"{TCP}:2376"}), ('{"tlsverify":true}', {*CERTIFICATES})],
)
def test_a_configuration_that_says_where(sidecar: Sidecar, config: str, left_out: set[str]) -> None:
    """dockerd takes no second word on it."""
    everything = sidecar.started(some_inputs(), "dockerd")
    assert {*everything} - {*sidecar.started(some_inputs(), "dockerd", config=config)} == left_out


@pytest.mark.parametrize("flag", ["--version", "-v", "--help", "--validate"])
def test_a_dockerd_that_only_tells_something(sidecar: Sidecar, flag: str) -> None:
    """It is asked nothing else."""
    told = ["Docker version 28.1.0, build x"] if flag == "--version" else [flag]
    assert sidecar.started(some_inputs(), "dockerd", flag) == told


def test_a_dockerd_that_is_started_again(sidecar: Sidecar) -> None:
    """It has the same arguments, and the rules of the first start are there."""
    program = ["sh", "-c", "dockerd; dockerd"]
    around = Surroundings(mtu=1400)
    found = sidecar.started(some_inputs(), *program, around=around, version="20.10.24")
    assert found[: len(found) // 2] == found[len(found) // 2 :]
    assert len((sidecar.directory / "rules").read_text().splitlines()) == 1


def test_a_dockerd_of_a_user_who_may_not_write(sidecar: Sidecar) -> None:
    """It starts all the same, where a service changes the user before it."""
    (sidecar.directory / "bin" / "started").mkdir(parents=True)
    assert sidecar.added(some_inputs()) == POOL


def test_an_image_without_dockerd(sidecar: Sidecar) -> None:
    """Its program runs, whatever it is."""
    (sidecar.directory / "none").mkdir()
    prelude = dockerd_prelude(some_inputs(), Facts(), TLS, ())
    done = subprocess.run(
        ["/bin/sh", "-c", f'{prelude}exec "$@"', "sh", "/bin/echo", "podman"],
        env={"PATH": str(sidecar.directory / "none")},
        check=True,
        capture_output=True,
    )
    assert (done.stdout, done.stderr) == (b"podman\n", b"")


WITH_TLS = ImageFacts("sha256:1", environment=("DOCKER_TLS_CERTDIR=/certs",))


@pytest.mark.parametrize(
    ("words", "image", "plain"),
    [
        ((), WITH_TLS, False),
        (("dockerd-entrypoint.sh",), WITH_TLS, False),
        # the entrypoint asks for TLS all the same
        (("dockerd-entrypoint.sh", "--tls=false"), WITH_TLS, False),
        (("dockerd-entrypoint.sh", "--host=tcp://0.0.0.0:2375"), WITH_TLS, False),
        (("dockerd-entrypoint.sh", "dockerd", "--host=tcp://0.0.0.0:2375"), WITH_TLS, True),
        (("/usr/local/bin/dockerd", "-H", "tcp://0.0.0.0:2375"), WITH_TLS, True),
        (("sh", "-c", "sleep 1; exec dockerd -H 'tcp://0.0.0.0:2375'"), WITH_TLS, True),
        (("dockerd", "--tls=false"), WITH_TLS, True),
        (("dockerd", "-H", "tcp://0.0.0.0:2376", "--tlsverify"), WITH_TLS, False),
        (("dockerd", "-H", "tcp://0.0.0.0:2376", "--tlsverify"), ImageFacts("sha256:2"), False),
        (("dockerd",), WITH_TLS, False),
        (("dockerd", "-H", "unix:///var/run/docker.sock"), WITH_TLS, False),
        (("dockerd-entrypoint.sh",), ImageFacts("sha256:2"), True),
        ((), ImageFacts("sha256:3", environment=("DOCKER_TLS_CERTDIR=", "A=b")), True),
        (("dockerd-entrypoint.sh",), ImageFacts("sha256:4", ports=("2375/tcp",)), True),
        # an image of 18.09 can do it, and is told to
        (("dockerd-entrypoint.sh",), ImageFacts("sha256:5", ports=("2375/tcp", "2376/tcp")), False),
    ],
)
def test_a_service_that_does_without_tls(
    words: tuple[str, ...], image: ImageFacts, *, plain: bool
) -> None:
    """Its own words and its image say so."""
    assert listens_plainly(words, image) is plain


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--registry-mirror=http://m:5000", "--debug"], ["--registry-mirror=http://m:5000"]),
        (["--registry-mirror", "http://m:5000"], ["--registry-mirror=http://m:5000"]),
        (
            ["dockerd", "--insecure-registry=r:5000", "--insecure-registry", "10.0.0.0/8"],
            ["--insecure-registry=r:5000", "--insecure-registry=10.0.0.0/8"],
        ),
        (
            [
                "sh",
                "-c",
                "update-ca-certificates; dockerd-entrypoint.sh --registry-mirror='http://m'",
            ],
            ["--registry-mirror=http://m"],
        ),
        (["dockerd-entrypoint.sh --insecure-registry=r; true"], ["--insecure-registry=r"]),
        # what is none, or is not known, would end dockerd
        (["--registry-mirror"], []),
        (["--registry-mirror=$MIRROR", "--insecure-registry=", "--registry-mirror=m"], []),
        (["--host=tcp://0.0.0.0:2375", "--data-root=/x", "--authorization-plugin=p"], []),
        ([], []),
    ],
)
def test_what_is_kept_of_a_command_that_is_replaced(words: list[str], kept: list[str]) -> None:
    """It is where images come from, however it is written, and nothing else."""
    assert registry_arguments(words) == kept
