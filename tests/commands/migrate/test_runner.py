"""What becomes of the keys of a runner of the Docker executor."""

import re
import tomllib

import pytest

from executor.commands.migrate.rules import EXCLUSIONS, LEFT_OUT
from executor.settings.file import DockerSettings, Settings
from executor.settings.keys import same_keys
from tests import container_keys
from tests.commands.migrate.samples import MENDED, migrated, read

VALUES: dict[str, object] = {
    **tomllib.loads(container_keys.DOCKER),
    "host": "tcp://engine:2376",
    "tls_cert_path": "/etc/docker",
    "tls_verify": True,
    "image": "ruby:3",
    "dns": ["10.0.0.1"],
    "dns_search": ["example.com"],
    "disable_entrypoint_overwrite": True,
    "user": "ci",
    "allowed_users": ["ci"],
    "disable_cache": True,
    "volumes": ["/cache"],
    "volume_keep": True,
    "volume_driver": "local",
    "volume_driver_ops": {"type": "tmpfs"},
    "cache_dir": "/srv/cache",
    "extra_hosts": ["git:10.0.0.1"],
    "network_mode": "ci",
    "links": ["db:db"],
    "services": [{"name": "postgres:16", "alias": "db", "environment": ["A=b"]}],
    "services_limit": 3,
    "service_slot_cgroup_template": "runner/${slot}",
    "wait_for_services_timeout": 60,
    "allowed_images": ["ruby:*"],
    "allowed_pull_policies": ["always", "if-not-present"],
    "allowed_services": ["postgres:*"],
    "pull_policy": "if-not-present",
    "isolation": "default",
    "helper_image": "registry.example.com/helper:1",
    "helper_image_flavor": "ubuntu",
    "enable_ipv6": True,
    "network_mtu": 1400,
}
"""Every key of `[runners.docker]`, with a value that is not its default."""


_KEYS = """
host tls_cert_path tls_verify hostname image runtime memory memory_swap memory_reservation
cgroup_parent cpuset_cpus cpuset_mems cpus cpu_shares dns dns_search privileged services_privileged
disable_entrypoint_overwrite user allowed_users group_add userns_mode cap_add cap_drop
oom_kill_disable oom_score_adjust security_opt services_security_opt devices device_cgroup_rules gpus
services_devices disable_cache volumes volume_keep volume_driver volume_driver_ops cache_dir
extra_hosts volumes_from network_mode pid_mode ipcmode mac_address links services services_limit
service_memory service_memory_swap service_memory_reservation service_cgroup_parent
service_slot_cgroup_template service_cpuset_cpus service_cpus service_cpu_shares service_gpus
wait_for_services_timeout allowed_images allowed_privileged_images allowed_privileged_services
allowed_pull_policies allowed_services pull_policy isolation shm_size tmpfs services_tmpfs sysctls
helper_image helper_image_flavor container_labels enable_ipv6 ulimit network_mtu log_options
"""


KEYS = _KEYS.split()
"""Every key of `[runners.docker]` that gitlab-runner documents."""


def test_the_samples_cover_every_key() -> None:
    """The samples have all keys that gitlab-runner documents and the settings share."""
    assert set(VALUES) == set(KEYS)
    assert set(same_keys(DockerSettings)) <= set(KEYS)
    assert set(DockerSettings.REFUSED) <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_no_key_is_lost(key: str) -> None:
    """Each is in the settings with its value, or named with a sentence."""
    migration = migrated({key: VALUES[key], "runtime": VALUES["runtime"]})

    written = tomllib.loads(migration.settings).get("docker", {})
    carried = key in same_keys(DockerSettings) and written.get(key) == VALUES[key]
    named = [
        each for each in migration.notes if re.match(rf"\[runners\.docker\] {key}: .+\.$", each)
    ]
    assert carried or named
    assert read(migration).docker.containers.runtime == "runc"


def test_all_keys_together() -> None:
    """The settings load, with every key that is carried over."""
    migration = migrated(VALUES)

    written = tomllib.loads(migration.settings)["docker"]
    named = {each.split(" ")[1].rstrip(":") for each in migration.notes}
    assert read(migration) != Settings()
    assert set(written) | named >= set(KEYS)
    assert len(written) > 50


@pytest.mark.parametrize(
    ("key", "value"),
    [("shm_size", 0), ("tls_verify", False), ("volumes", []), ("image", ""), ("links", [])],
)
def test_what_holds_anyway_is_not_written(key: str, value: object) -> None:
    """A registration writes many defaults down."""
    migration = migrated({key: value, "runtime": "runc"})

    assert set(tomllib.loads(migration.settings)["docker"]) == {"runtime"}
    assert [each for each in migration.notes if key in each] == []


def test_a_value_that_is_refused_is_named() -> None:
    """The note says what is wrong with it, and the other keys are carried over."""
    migration = migrated({"userns_mode": "keep-id", "memory": "1g"})

    assert tomllib.loads(migration.settings)["docker"] == {"memory": "1g"}
    assert (
        "[runners.docker] userns_mode: not carried over, 'keep-id' is not one of: , host."
    ) in migration.notes


def test_values_that_do_not_go_together_are_named() -> None:
    """Each alone is fine."""
    migration = migrated({"tmpfs": {"/b": "rw"}}, builds_dir="/b")

    assert migration.notes[-1].startswith(MENDED)
    assert 'docker.tmpfs."/b": this is the builds directory' in migration.notes[-1]
    assert migration.refused is True


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed_images", ["!ruby:*"]),
        ("allowed_services", ["redis:*", "!redis:6"]),
        ("services_devices", {"!redis:*": ["/dev/kvm"]}),
    ],
)
def test_exclusions_mean_something_else(key: str, value: object) -> None:
    """gitlab-runner takes the `!` for a part of the name, and so admits no image by it."""
    said = f"[runners.docker] {key}: {EXCLUSIONS}."

    assert said in migrated({key: value}).notes
    assert said not in migrated({key: ["redis:*"]}).notes


@pytest.mark.parametrize(
    "directories",
    [
        {"cache_dir": "/builds/cache", "builds_dir": "/work"},
        {"builds_dir": "/cache/builds", "cache_dir": "/caches"},
    ],
)
def test_directories_are_judged_together(directories: dict[str, str]) -> None:
    """Each would meet the other's default."""
    settings = read(migrated({}, **directories))

    assert {"builds_dir": settings.builds_dir, "cache_dir": settings.cache_dir} == directories


def test_an_empty_directory_is_none() -> None:
    """gitlab-runner takes its default, as it does without the key."""
    assert read(migrated({}, builds_dir="", cache_dir="")) == Settings()


def test_an_unknown_key_is_named() -> None:
    """A newer gitlab-runner may have more."""
    migration = migrated({"from_the_future": False})

    assert (
        "[runners.docker] from_the_future: dind-executor has no such key; it is not carried over."
        in migration.notes
    )


def test_a_misspelt_key_is_told_what_it_resembles() -> None:
    """gitlab-runner takes no notice of it, so it may have stood there for years."""
    migration = migrated({"memroy": "4g"})

    assert (
        "[runners.docker] memroy: dind-executor has no such key (did you mean memory?);"
        " it is not carried over." in migration.notes
    )


def test_directories_of_the_runner() -> None:
    """They stand at the top of the settings."""
    migration = migrated({}, builds_dir="/work", cache_dir="/caches")

    settings = read(migration)
    assert (settings.builds_dir, settings.cache_dir) == ("/work", "/caches")


# --- the runner's own section -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("use_slot_cgroups", True, "slots"),
        ("slot_cgroup_template", "a", "slots"),
        ("step_runner_image", "a", "native steps"),
        ("feature_flags", {"FF_NETWORK_PER_BUILD": True}, "can be removed"),
        ("machine", {"IdleCount": 1}, "autoscaling"),
        ("autoscaler", {"plugin": "aws"}, "autoscaling"),
        ("shell", "pwsh", "POSIX"),
        ("custom_build_dir", {"enabled": "no"}, "becomes false"),
        ("custom_build_dir", "no", "becomes false"),
        ("from_the_future", 1, "stays as it is"),
    ],
)
def test_keys_of_the_runner_that_change(key: str, value: object, word: str) -> None:
    """Each key that needs a word gets one note, and no more."""
    migration = migrated({}, **{key: value})

    (said,) = [each for each in migration.notes if each.startswith("[[runners]]")]
    assert word in said


def test_keys_of_the_runner_that_stay() -> None:
    """gitlab-runner reads them whatever the executor."""
    migration = migrated(
        {},
        limit=3,
        environment=["A=b"],
        cache={"Type": "s3"},
        pre_build_script="true",
        clean_git_config=False,
        prepare_timeout="10m",
        get_sources_timeout="5m",
        artifact={"upload_timeout": "1h"},
    )

    assert [each for each in migration.notes if each.startswith("[[runners]]")] == []


def test_left_out_keys_are_no_fields() -> None:
    """The table does not contradict the settings."""
    assert not set(LEFT_OUT) & set(same_keys(DockerSettings))
