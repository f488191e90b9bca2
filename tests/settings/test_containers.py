"""What is wrong with what the settings give containers."""

import pytest

from executor.errors import SettingsError
from executor.notation import amounts as units
from executor.settings.file import read_settings
from tests.builders import some_settings


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("memory = '1x'", "memory: '1x' must look like 512m or 1.5g"),
        ("memory = '-1'", "memory: '-1' must look like 512m or 1.5g"),
        ("memory_swap = '-2'", "memory_swap: '-2' must look like 512m or 1.5g"),
        ("memory_reservation = 'm'", "memory_reservation: 'm' must look like 512m or 1.5g"),
        ("service_memory = '1..5'", "service_memory: '1..5' must look like 512m or 1.5g"),
        ("cpus = 'two'", "cpus: 'two' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '1/0'", "cpus: '1/0' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '.'", "cpus: '.' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '-1'", "cpus: '-1' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpus = '1e999'", "cpus: '1e999' must be a number of CPUs such as 0.5 or 1/3"),
        ("service_cpus = '1/2/3'", "service_cpus: '1/2/3' must be a number of CPUs such as 0.5 or 1/3"),
        ("cpuset_cpus = '0-'", "cpuset_cpus: '0-' must look like 0-3 or 0,2"),
        ("cpuset_mems = 'a'", "cpuset_mems: 'a' must look like 0-3 or 0,2"),
        ("cpu_shares = -1", "cpu_shares: -1 is too small: the minimum is 0"),
        ("oom_score_adjust = 1001", "oom_score_adjust: 1001 is too large: the maximum is 1000"),
        ("cgroup_parent = '../x'", "cgroup_parent: '../x' must look like /jobs or jobs.slice"),
        ("ulimit = { nofile = 'a' }", "ulimit.nofile: 'a' must look like 1024 or 1024:4096 (soft:hard)"),
        ("ulimit = { nofile = '2:1' }", ("ulimit.nofile: '2:1' has a soft limit above its hard"
                                        " limit: write soft:hard")),
        ("ulimit = { files = '1' }", f"ulimit.files: it is not one of: {', '.join(units.ULIMITS)}"),
        ("hostname = 'a_b'", "hostname: 'a_b' is not a host name of at most 63 characters"),
        ("runtime = 'a b'", "runtime: 'a b' must be the name of a runtime in the engine's configuration"),
        ("group_add = ['a b']", "group_add[0]: 'a b' must be a group's name or number"),
        ("userns_mode = 'private'", "userns_mode: 'private' is not one of: , host"),
        ("cap_add = ['NET-ADMIN']", "cap_add[0]: 'NET-ADMIN' must look like NET_ADMIN or ALL"),
        ("cap_drop = ['']", "cap_drop[0]: '' must look like NET_ADMIN or ALL"),
        (
            "security_opt = ['seccomp=profile.json']",
            (
                "security_opt[0]: 'seccomp=profile.json' must name a profile by an absolute path,"
                " or be seccomp=unconfined or seccomp=builtin"
            ),
        ),
        (
            "services_security_opt = ['apparmour=x']",
            (
                "services_security_opt[0]: 'apparmour=x' must look like name=value, with one of the"
                " names apparmor, label, no-new-privileges, seccomp"
            ),
        ),
        ("security_opt = ['label']", "security_opt[0]: 'label' must look like label=value"),
        ("devices = ['kvm']", "devices[0]: 'kvm' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm"),
        (
            "devices = ['/dev/a:/dev/b:rx']",
            "devices[0]: '/dev/a:/dev/b:rx' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm",
        ),
        (
            "services_devices = { 'a[' = ['/dev/a'] }",
            "services_devices.\"a[\": 'a[' is not a pattern: a [, { or \\ is left open, it is empty, or it is too long",
        ),
        (
            "services_devices = { a = ['b'] }",
            "services_devices.a[0]: 'b' must look like /dev/kvm or /dev/sda:/dev/xvda:rwm",
        ),
        ("device_cgroup_rules = ['c']", "device_cgroup_rules[0]: 'c' must look like 'c 10:232 rwm'"),
        ("gpus = 'some'", "gpus: 'some' must look like all, 2 or device=0"),
        ("gpus = 'a=b'", "gpus: 'a=b' has the key 'a' twice, or --gpus does not know it"),
        ("service_gpus = '\"a'", "service_gpus: '\"a' has a quote that is not closed"),
        ("sysctls = { 'a b' = '1' }", 'sysctls."a b": it must look like net.core.somaxconn'),
        ("volumes_from = ['a:rx']", "volumes_from[0]: 'a:rx' must look like container or container:ro"),
        ("pid_mode = 'service'", "pid_mode: 'service' must be one of: host, container:<name>"),
        (
            "ipcmode = 'x'",
            "ipcmode: 'x' must be one of: none, private, shareable, host, container:<name>",
        ),
        ("mac_address = '1:2'", "mac_address: '1:2' must look like 02:42:ac:11:00:02"),
        (
            "mac_address = '01:42:ac:11:00:02'",
            "mac_address: '01:42:ac:11:00:02' is a multicast address",
        ),
        ("tmpfs = { '/' = '' }", 'tmpfs."/": it must be an absolute path in the container, and not /'),
        (
            "services_tmpfs = { 'a' = '' }",
            "services_tmpfs.a: it must be an absolute path in the container, and not /",
        ),
        (
            "tmpfs = { '/builds/' = '' }",
            'tmpfs."/builds/": this is the builds directory, which several containers share',
        ),
        (
            "tmpfs = { '/cache' = '' }",
            'tmpfs."/cache": this is the cache directory, which several containers share',
        ),
        (
            "tmpfs = { '/run/dind-executor/x' = '' }",
            (
                'tmpfs."/run/dind-executor/x": this is the directory of dind-executor, which'
                " several containers share"
            ),
        ),
        (
            "tmpfs = { '/models' = '' }\nvolumes = ['models:/models/']",
            'tmpfs."/models": this is a volume by `volumes`, which several containers share',
        ),
        (
            "container_labels = { 'dind-executor.job' = 'x' }",
            (
                'container_labels."dind-executor.job": labels that start with dind-executor.'
                " belong to dind-executor"
            ),
        ),
        (
            "log_options = { max-size = '1g' }",
            "log_options.max-size: only env and labels are allowed",
        ),
        (
            "runtime = 'sysbox-runc'\nprivileged = true",
            "privileged: the runtime sysbox-runc refuses privileged containers; set it to false",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told(text: str, mistake: str) -> None:
    """Each mistake is one sentence with its key, before there is any job."""
    with pytest.raises(SettingsError) as caught:
        some_settings(f"[docker]\n{text}")

    assert str(caught.value) == (
        f"The settings file settings.toml has a mistake:\n  docker.{mistake}"
    )


@pytest.mark.parametrize("key", ["links", "isolation", "service_slot_cgroup_template"])
def test_a_key_that_cannot_be_here_says_why(key: str) -> None:
    """The sentence has the reason instead of `unknown key`."""
    with pytest.raises(SettingsError, match=rf"docker\.{key}: .{{30}}"):
        read_settings(f"[docker]\n{key} = ''", "settings.toml")


def test_a_tmpfs_may_lie_around_ours() -> None:
    """Systemd in a container wants one on /run."""
    assert some_settings("docker.tmpfs = { '/run' = 'rw' }").docker.containers.tmpfs == {
        "/run": "rw"
    }
