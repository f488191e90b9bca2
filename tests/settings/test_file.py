"""The administrator's settings: defaults, every check, all mistakes at once, and their documentation."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from executor.errors import SettingsError
from executor.settings.file import (
    DindSettings,
    LogSettings,
    Settings,
    load_settings,
    read_settings,
)
from executor.settings.images import ImageSettings
from executor.settings.keys import Key, Section, keys_of
from executor.settings.manual import documented_defaults
from tests import container_keys
from tests.limited import limited

PATH = "/etc/dind-executor/settings.toml"
POLICIES = "always, if-not-present, never"


def mistakes_in(text: str) -> list[str]:
    """Return the mistakes that reading reports, without the line that leads them in."""
    with pytest.raises(SettingsError) as caught:
        read_settings(text, PATH)
    first, *lines = str(caught.value).split("\n")
    count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    assert first == f"The settings file {PATH} has {count}:"
    return [line.removeprefix("  ") for line in lines]


def test_an_empty_file_is_all_defaults() -> None:
    """Every key may be left out."""
    assert read_settings("", PATH) == Settings()


def test_the_defaults() -> None:
    """An administrator who sets nothing gets these values."""
    settings = Settings()
    docker, dind = settings.docker, settings.dind

    assert (settings.builds_dir, settings.cache_dir) == ("/builds", "/cache")
    assert (docker.host, docker.tls_cert_path, docker.tls_verify) == ("", "", False)
    assert docker.images == ImageSettings(
        image="",
        helper_image="",
        helper_image_flavor="",
        pull_policy=(),
        when_registry_is_down="fail",
        allowed_pull_policies=(),
        disable_entrypoint_overwrite=False,
        user="",
        allowed_users=(),
        allowed_images=(),
        share_host_credentials=True,
    )
    assert (docker.services.allowed_services, docker.services.services_limit) == ((), -1)
    assert (docker.extra_hosts, docker.dns, docker.dns_search) == ((), (), ())
    assert (docker.network_mtu, docker.enable_ipv6) == (0, False)
    assert dind == DindSettings(
        mode="always",
        image="docker:29-dind",
        allowed_images=("docker:*dind*", "**/docker:*dind*"),
        runtime="",
        privileged=True,
        allow_plain_tcp=True,
        socket=True,
        wait_until="listens",
        ready_timeout=60,
        volumes=(),
        command=(),
        registry_mirrors=(),
        insecure_registries=(),
    )
    assert settings.log == LogSettings(
        destination="file", path="/var/log/dind-executor/dind-executor.log"
    )


FULL = f"""
builds_dir = "/srv/builds"
cache_dir = "/srv/cache"
debug_trace_disabled = true

[docker]
host = "tcp://[2001:db8::1]:2376"
tls_cert_path = "/etc/docker/client"
tls_verify = true
image = "$CI_REGISTRY/group/image"
helper_image = "registry.example.com/helper:1"
helper_image_flavor = "ubuntu"
pull_policy = ["always", "if-not-present"]
when_registry_is_down = "use-own-images"
allowed_pull_policies = ["always", "if-not-present", "never"]
disable_entrypoint_overwrite = true
user = "1000"
allowed_users = ["1000", "2000:2000"]
allowed_images = ["**", "!*/kali*"]
allowed_services = ["docker:*dind", "{{redis,postgres}}:[0-9]*"]
extra_hosts = ["registry.example.com:10.0.0.1", "six:2001:db8::1", "host:host-gateway"]
dns = ["10.0.0.1", "2001:db8::1"]
dns_search = ["example.com", "."]
network_pool = ["10.240.0.0/16", "10.9.0.0/27"]
keep_network = true
network_mtu = 1400
enable_ipv6 = true
certs_d = "/srv/certs.d"
services_limit = 0
services = [
  {{ name = "a", alias = "b c", command = ["d"], entrypoint = ["e"], environment = ["F=g"] }},
]
wait_for_services_timeout = -1
volumes = ["/cache", "/srv/tools:/opt/tools:ro"]
disable_cache = true
cache_dir = "/srv/caches"
volume_driver = "local"
volume_driver_ops = {{type = "tmpfs"}}
volume_keep = true
share_host_credentials = false
{container_keys.DOCKER}{container_keys.OURS}
[dind]
mode = "service"
image = "registry.example.com:5000/docker:27-dind"
allowed_images = []
runtime = "sysbox-runc"
privileged = false
allow_plain_tcp = false
socket = false
wait_until = "answers"
ready_timeout = 120
volumes = ["/srv/ca:/etc/docker/certs.d:ro", "cache:/var/cache", "/a:/b:rw"]
command = ["--max-concurrent-downloads=6", "--storage-driver", "overlay2"]
inherit_registries = false
registry_mirrors = ["https://mirror.example.com", "http://10.0.0.1:5000/"]
insecure_registries = ["registry.example.com:5000", "10.0.0.0/8", "fd00::/8", "[::1]:5000"]
certificate_key = "rsa"
proxies_in_builds = true
authorities_in_builds = "/etc/ssl/certs/corp.pem"
keep_layers = true
keep_layers_size = "5g"
keep_layers_budget = "50g"
{container_keys.DIND}
[log]
destination = "journal"
path = "/dev/null"
job_summary = false
records = false
capture = "failed"
"""


def as_read(value: object) -> object:
    """Return a value of TOML, or one that was read, with its lists as tuples."""
    if isinstance(value, Section):
        return as_read(vars(value))
    if isinstance(value, dict):
        return {key: as_read(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(as_read(each) for each in value)
    return value


def values_of(section: Section, prefix: str = "") -> dict[str, object]:
    """Return the value of each key in a section's table, those of its groups among it."""
    found: dict[str, object] = {}
    for name, each in type(section).DECLARED.items():
        value = getattr(section, name)
        if isinstance(each, Key):
            found[prefix + name] = value
        elif each.grouped:
            found |= values_of(value, each.prefix)
    return found


def test_every_key_can_be_set() -> None:
    """A file that sets each key to another value than its default is read as it stands."""
    settings, defaults = read_settings(FULL, PATH), Settings()

    document = tomllib.loads(FULL)
    for name in ("", "docker", "dind", "log"):
        table = document[name] if name else document
        section = getattr(settings, name) if name else settings
        values = values_of(section)
        assert list(values) == [each for each, _ in keys_of(type(section))]
        assert {each: as_read(table[each]) for each in values} == as_read(values)
        initial = values_of(getattr(defaults, name) if name else defaults)
        assert [each for each in values if values[each] == initial[each]] == []


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        # types
        ("builds_dir = 1", "builds_dir: expected a string, found a whole number"),
        (
            'docker.network_mode = "host"',
            (
                "docker.network_mode: each job has its own network, where `docker` and the names of"
                " services lead to its own containers; remove the key (docs/network.md says what to do"
                " instead)"
            ),
        ),
        ("docker = 1", "docker: expected a table, found a whole number"),
        (
            "docker.tls_verify = 1",
            "docker.tls_verify: expected true or false, found a whole number",
        ),
        (
            "docker.network_mtu = true",
            "docker.network_mtu: expected a whole number, found true or false",
        ),
        ('docker.dns = "1.1.1.1"', "docker.dns: expected a list, found a string"),
        ("docker.dns = [1]", "docker.dns[0]: expected a string, found a whole number"),
        (
            'docker.pull_policy = "invalid"',
            ('docker.pull_policy[0]: unsupported pull_policy config: "invalid"'
            f" is not one of: {POLICIES}"),
        ),
        (
            'docker.allowed_pull_policies = ["invalid"]',
            ('docker.allowed_pull_policies[0]: unsupported allowed_pull_policies config: "invalid"'
            f" is not one of: {POLICIES}"),
        ),
        # unknown keys
        ("bulids_dir = '/b'", "bulids_dir: unknown key; did you mean builds_dir?"),
        ("[dockr]", "dockr: unknown key; did you mean docker?"),
        ("docker.privilege = true", "docker.privilege: unknown key; did you mean privileged?"),
        ("[dind]\nmod = 1", "dind.mod: unknown key; did you mean mode?"),
        # choices
        (
            "dind.mode = 'alway'",
            "dind.mode: 'alway' is not one of: always, service; did you mean always?",
        ),
        (
            "log.destination = 'syslog'",
            "log.destination: 'syslog' is not one of: file, journal, none",
        ),
        # bounds
        ("docker.network_mtu = -1", "docker.network_mtu: -1 is too small: the minimum is 0"),
        ("docker.services_limit = -2", ("docker.services_limit: -2 is too small: the minimum"
                                       " is -1")),
        ("dind.ready_timeout = 0", "dind.ready_timeout: 0 is too small: the minimum is 1"),
        ("dind.ready_timeout = 3601", ("dind.ready_timeout: 3601 is too large: the maximum is"
                                      " 3600")),
        # directories and paths
        ("builds_dir = 'b'", "builds_dir: 'b' must be an absolute path, starting with /"),
        ("builds_dir = ''", "builds_dir: it must not be empty"),
        ("builds_dir = '/'", "builds_dir: it must not be the root directory"),
        ("builds_dir = '/b/'", "builds_dir: '/b/' must be written '/b'"),
        ("builds_dir = '/b/../c'", "builds_dir: '/b/../c' must not contain .."),
        (
            "builds_dir = '/certs/b'",
            "builds_dir: '/certs/b' covers /certs, which dind uses itself",
        ),
        (
            "cache_dir = '/var'",
            "cache_dir: '/var' covers /var/lib/docker, which dind uses itself",
        ),
        (
            "cache_dir = '/builds/cache'",
            "cache_dir: cache_dir and builds_dir must not lie in each other",
        ),
        ("log.path = 'a.log'", "log.path: 'a.log' must be an absolute path, starting with /"),
        ("log.path = ''", "log.path: it must not be empty"),
        (
            "docker.tls_cert_path = 'certs'",
            "docker.tls_cert_path: 'certs' must be an absolute path, starting with /",
        ),
        (
            'log.path = "/a\\n"',
            "log.path: '/a\\n' must not contain control characters",
        ),
        # images and patterns
        (
            "docker.image = 'Alpine'",
            ('docker.image: invalid image name "Alpine": write the repository in lower case:'
            ' "alpine"'),
        ),
        (
            "dind.image = '$DIND'",
            'dind.image: invalid image name "$DIND": write the repository in lower case: "$dind"',
        ),
        ("dind.image = ''", "dind.image: it must not be empty"),
        (
            "docker.allowed_images = ['a', '![']",
            ("docker.allowed_images[1]: '![' is not a pattern: a [, { or \\ is left open, it is"
            " empty, or it is too long"),
        ),
        (
            "dind.allowed_images = ['']",
            ("dind.allowed_images[0]: '' is not a pattern: a [, { or \\ is left open, it is"
            " empty, or it is too long"),
        ),
        # addresses
        (
            "docker.host = 'docker'",
            "docker.host: 'docker' must look like unix:///var/run/docker.sock or tcp://host:2376",
        ),
        (
            "docker.host = 'ssh://host'",
            ("docker.host: 'ssh://host' must look like unix:///var/run/docker.sock or"
            " tcp://host:2376"),
        ),
        (
            "docker.host = 'tcp://host'",
            ("docker.host: 'tcp://host' must look like unix:///var/run/docker.sock or"
            " tcp://host:2376"),
        ),
        (
            "docker.host = 'tcp://host:70000'",
            ("docker.host: 'tcp://host:70000' must look like unix:///var/run/docker.sock or"
            " tcp://host:2376"),
        ),
        (
            "docker.host = 'unix://docker.sock'",
            "docker.host: 'docker.sock' must be an absolute path, starting with /",
        ),
        ("docker.dns = ['dns.example.com']", "docker.dns[0]: 'dns.example.com' is not an IP address"),
        ("docker.dns_search = ['a b']", "docker.dns_search[0]: 'a b' is not a host name"),
        ("docker.extra_hosts = ['a']", "docker.extra_hosts[0]: 'a' must look like name:ip"),
        ("docker.extra_hosts = [':1.1.1.1']", "docker.extra_hosts[0]: ':1.1.1.1' must look like name:ip"),
        ("docker.extra_hosts = ['a:b']", "docker.extra_hosts[0]: 'b' is not an IP address"),
        # dind
        (
            "dind.runtime = 'run c'",
            "dind.runtime: 'run c' must be the name of a runtime in the engine's configuration",
        ),
        (
            "dind.volumes = ['/a']",
            "dind.volumes[0]: '/a' must look like source:destination or source:destination:ro",
        ),
        (
            "dind.volumes = ['/a:/b:z']",
            "dind.volumes[0]: '/a:/b:z' ends in 'z', which is neither ro nor rw",
        ),
        (
            "dind.volumes = ['./a:/b']",
            ("dind.volumes[0]: the source of './a:/b' must be an absolute path or the name of a"
            " volume"),
        ),
        (
            "dind.volumes = ['/a:b']",
            ("dind.volumes[0]: the destination of '/a:b' is wrong: 'b' must be an absolute path,"
            " starting with /"),
        ),
        (
            "dind.volumes = ['/a:/b', '/a:/certs/client']",
            ("dind.volumes[1]: the destination of '/a:/certs/client' covers /certs, where dind has"
            " its certificates"),
        ),
        (
            "dind.volumes = ['/a:/']",
            ("dind.volumes[0]: the destination of '/a:/' covers /certs, where dind has its"
            " certificates"),
        ),
        (
            "dind.volumes = ['/a:/var/lib']",
            ("dind.volumes[0]: the destination of '/a:/var/lib' covers /var/lib/docker, where dind"
            " has its images and containers"),
        ),
        (
            "dind.volumes = ['/a:/builds/x']",
            "dind.volumes[0]: the destination of '/a:/builds/x' covers /builds",
        ),
        (
            "dind.command = ['dockerd']",
            ("dind.command: the first must start with a dash: these are arguments of dockerd, not a"
            " program"),
        ),
        (
            "dind.command = ['-D', '--tlsverify=false']",
            "dind.command[1]: '--tlsverify=false' is set for each job and cannot be set here",
        ),
        (
            "dind.command = ['--host=tcp://0.0.0.0:1']",
            "dind.command[0]: '--host=tcp://0.0.0.0:1' is set for each job and cannot be set here",
        ),
        ("dind.command = ['-D', '']", "dind.command[1]: an argument must not be empty"),
        (
            "dind.registry_mirrors = ['mirror.example.com']",
            ("dind.registry_mirrors[0]: 'mirror.example.com' must look like"
            " https://mirror.example.com"),
        ),
        (
            "dind.registry_mirrors = ['https://a?b']",
            "dind.registry_mirrors[0]: 'https://a?b' must look like https://mirror.example.com",
        ),
        (
            "dind.insecure_registries = ['http://a']",
            ("dind.insecure_registries[0]: 'http://a' must look like registry.example.com:5000 or"
            " 10.0.0.0/8"),
        ),
        (
            "dind.insecure_registries = ['a:b']",
            ("dind.insecure_registries[0]: 'a:b' must look like registry.example.com:5000 or"
            " 10.0.0.0/8"),
        ),
        (
            "[dind]\nruntime = 'sysbox-runc'\nprivileged = true",
            "dind.privileged: the runtime sysbox-runc refuses privileged containers; set it to false",
        ),
    ],
)  # fmt: skip
def test_a_mistake_gets_a_sentence_with_its_path(text: str, mistake: str) -> None:
    """Each wrong value is named by its path, with what is wrong or what it must look like."""
    assert mistakes_in(text) == [mistake]


def test_all_mistakes_are_reported_at_once() -> None:
    """An operator mends a file in one go."""
    text = "builds_dir = 3\n[docker]\nimag = 'x'\ndns = ['1.1.1', '::1']\n[dind]\nmode = 'on'\n"

    assert mistakes_in(text) == [
        "builds_dir: expected a string, found a whole number",
        "docker.dns[0]: '1.1.1' is not an IP address",
        "docker.imag: unknown key; did you mean image?",
        "dind.mode: 'on' is not one of: always, service",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("builds_dir = '/a'\nmode = always", "line 2, column 8"),
        ("a = [1,\n", "line 2, column 1"),
        ("[docker]\nhost = 'x\n", "line 3, column 1"),
        ("[docker]\n[docker]\n", "line 2, column 8"),
        ("a = '''x", "line 1, column 9"),
    ],
)
def test_a_file_that_is_not_toml_is_told_where(text: str, place: str) -> None:
    """A syntax error names the file, the line and the column, also at the end of the file."""
    with pytest.raises(SettingsError, match=f"^The settings file {PATH} is not TOML: .*{place}"):
        read_settings(text, PATH)


@pytest.mark.parametrize(
    ("text", "privileged"),
    [
        ("", True),
        ("runtime = 'sysbox-runc'", False),
        ("runtime = 'kata'\nprivileged = true", True),
        ("privileged = false", False),
    ],
)
def test_privileged_depends_on_the_runtime(text: str, privileged: bool) -> None:  # noqa: FBT001
    """A runtime of its own makes a privileged sidecar unnecessary, unless the administrator says so."""
    assert read_settings(f"[dind]\n{text}", PATH).dind.privileged is privileged


def test_a_file_is_loaded(tmp_path: Path) -> None:
    """The file is read as UTF-8."""
    path = tmp_path / "settings.toml"
    path.write_text("# größer\n[docker]\nservices_limit = 3\n", encoding="utf-8")

    assert load_settings(str(path)).docker.services.services_limit == 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The sentence names the file and where its name comes from."""
    with pytest.raises(SettingsError) as caught:
        load_settings(f"{tmp_path}/absent.toml")

    assert str(caught.value) == (
        f"The settings file {tmp_path}/absent.toml cannot be read: No such file or directory."
        " Check its path in the *_args of [runners.custom] in config.toml, and its"
        " permissions. `dind-executor doctor --only config` looks at this."
    )


def test_a_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    """Whatever the system says of the file is part of the sentence."""
    with pytest.raises(SettingsError, match=rf"{tmp_path} cannot be read: Is a directory\."):
        load_settings(str(tmp_path))


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """The message says that a TOML file must be in UTF-8."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# gr\xf6\xdfer\n")

    with pytest.raises(SettingsError, match=r"settings\.toml is not UTF-8 text\."):
        load_settings(str(path))


def test_reading_settings_loads_nothing_slow() -> None:
    """Every stage is a new process that reads the settings; what is rarely needed stays out."""
    program = (
        "import sys; from executor.settings.file import read_settings;"
        f" read_settings({documented_defaults()!r}, ''); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); {program}",
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()

    slow = {"argparse", "asyncio", "difflib", "docker", "gitlab", "http", "ipaddress", "json"}
    slow |= {
        "logging",
        "pathlib",
        "requests",
        "socket",
        "ssl",
        "structlog",
        "subprocess",
        "textwrap",
    }
    assert "executor.settings.file" in loaded
    assert not slow.intersection(loaded)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[docker]\nshm_size = " + "9" * 5000, "line 2: `shm_size` has a number that is too long"),
        ("[docker]\nshm_size = 9223372036854775808", "the number of `shm_size` is too large"),
        ("a = " + "[" * 5000, "its lists or tables are nested more than 50 levels deep"),
    ],
    ids=["digits", "bits", "depth"],
)
def test_a_file_beyond_what_toml_has_is_told_where(text: str, sentence: str) -> None:
    """Python's parser raises other errors for these than for what is no TOML."""
    with pytest.raises(SettingsError) as caught:
        read_settings(text, PATH)

    assert str(caught.value) == f"The settings file {PATH} is not TOML: {sentence}"


@pytest.mark.parametrize(
    "key",
    [
        'memory = "99999999999999999g"',
        'memory_swap = "99999999999999999g"',
        'service_memory_reservation = "9223372036854775808"',
        'cpus = "9223372037"',
        'memory = "' + "9" * 5000 + '"',
        'cpus = "' + "9" * 5000 + '"',
        'ulimit = { nofile = "' + "9" * 5000 + '" }',
        'gpus = "' + "9" * 5000 + '"',
        'host = "tcp://engine:' + "9" * 5000 + '"',
        "pids_limit = 9999999999",
    ],
    ids=lambda key: key[:30],
)
def test_an_amount_that_no_engine_counts_is_a_mistake(key: str) -> None:
    """No job is begun that the engine would refuse; a sentence of it is no longer than people read."""
    (mistake,) = mistakes_in(f"[docker]\n{key}")

    assert mistake.startswith(f"docker.{key.partition(' ')[0]}")
    assert len(mistake) < 700


def test_a_file_of_nothing_but_mistakes_is_read_soon() -> None:
    """A hundred of them are named, and for no more a word is looked for that may be meant."""
    shown = limited("""
from executor.errors import SettingsError
from executor.settings.file import read_settings
try:
    read_settings("[docker]\\n" + "".join(f"memori{each} = 1\\n" for each in range(50_000)), "x")
except SettingsError as error:
    print(error)
""")

    assert shown.count("unknown key") == 100
    assert "it has more mistakes than these" in shown


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A stage ends at once."""
    os.mkfifo(tmp_path / "pipe")

    for path in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(SettingsError, match=f"{path} cannot be read: it is not a regular file"):
            load_settings(path)
