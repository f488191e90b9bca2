"""`dind-executor migrate`: from gitlab-runner's config.toml for the Docker executor to this one's."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from executor.cli import run_command
from executor.commands.migrate.rules import EXCLUSIONS, LEFT_OUT, MAY_GO
from executor.commands.migrate.runner import Migration, migrate_runner
from executor.errors import SettingsError
from executor.settings.file import DockerSettings, Settings, read_settings
from executor.settings.keys import same_keys
from tests import container_keys, toml
from tests.migrating import printed, shown

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


MENDED = "to be mended by hand, as the settings are refused until then: "


def migrated(docker: dict[str, object], **runner: object) -> Migration:
    """Return what becomes of a runner with these keys."""
    return migrate_runner({"name": "one", "executor": "docker", **runner, "docker": docker})


def read(migration: Migration) -> Settings:
    """Return the settings that were written."""
    return read_settings(migration.settings, "settings.toml")


def test_the_samples_cover_every_key() -> None:
    """Those that gitlab-runner documents, and those that the settings say are the same."""
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
    """With what is wrong with it; the rest is carried over."""
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
    ("key", "value", "carried", "named"),
    [
        (
            "allowed_images",
            ["registry.example.com/**", "bad[range"],
            ["registry.example.com/**"],
            "allowed_images[1]: not carried over, 'bad[range' is not a pattern",
        ),
        (
            "allowed_services",
            ["{postgres", "redis:*"],
            ["redis:*"],
            "allowed_services[0]: not carried over, '{postgres' is not a pattern",
        ),
        (
            "allowed_pull_policies",
            ["always", "sometimes"],
            ["always"],
            "allowed_pull_policies[1]: not carried over, unsupported",
        ),
        (
            "allowed_users",
            ["ci", 1000],
            ["ci"],
            "allowed_users[1]: not carried over, expected a string, found a whole number",
        ),
        (
            "volumes",
            ["/cache", "relative:relative", "/srv/a:/a:ro"],
            ["/cache", "/srv/a:/a:ro"],
            "volumes[1]: not carried over, invalid volume specification",
        ),
        (
            "cap_add",
            ["NET_ADMIN", "SYS-ADMIN"],
            ["NET_ADMIN"],
            "cap_add[1]: not carried over, 'SYS-ADMIN' must look like",
        ),
        (
            "tmpfs",
            {"/tmp": "rw", "run": "rw"},
            {"/tmp": "rw"},
            "tmpfs.run: not carried over, it must be an absolute path",
        ),
        (
            "services",
            [{"name": "redis:7", "alias": 1, "environment": ["A=b", "secret"]}, "redis:7"],
            [{"name": "redis:7", "environment": ["A=b"]}],
            "services[0].environment[1]: not carried over, a variable must be written KEY=value.",
        ),
    ],
)
def test_one_bad_part_does_not_take_the_others_along(
    key: str, value: object, carried: object, named: str
) -> None:
    """It is named by its place, and what is right is carried over."""
    migration = migrated({key: value})

    assert tomllib.loads(migration.settings)["docker"] == {key: carried}
    assert migration.refused is False
    assert any(f"[runners.docker] {named}" in each for each in migration.notes)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed_images", ["bad[range"]),
        ("allowed_images", ["bad[range", "!ruby:*"]),
        ("allowed_services", "redis:*"),
        ("allowed_privileged_images", [""]),
        ("allowed_users", [1000]),
        ("allowed_pull_policies", ["sometimes"]),
        ("cap_drop", ["NET_RAW", "SYS-ADMIN"]),
        ("security_opt", ["seccomp=profile.json", "no-new-privileges:true"]),
        ("services_security_opt", ["no-new-privileges", "apparmor"]),
        ("ulimit", {"nofile": "1024", "nproc": "many"}),
        ("dns", ["10.0.0.1", "resolver"]),
        ("memory", "4 gigabytes"),
        ("service_memory", 4),
        ("cpus", "two"),
        ("cpuset_cpus", "0-"),
        ("services_limit", "3"),
        ("user", 1000),
        ("runtime", "my runtime"),
        ("host", "engine"),
        ("tls_verify", "yes"),
        ("disable_entrypoint_overwrite", "true"),
        ("disable_cache", 1),
        ("privileged", "yes"),
        ("services_privileged", "no"),
    ],
)
def test_no_mistake_lets_jobs_do_more(key: str, value: object) -> None:
    """Where they might without it, it is written all the same: the settings are refused with it."""
    migration = migrated({key: value})

    assert tomllib.loads(migration.settings)["docker"][key] == value
    assert f"\n# To be mended: docker.{key}" in f"\n{migration.settings}"
    assert any(each.startswith(f"{MENDED}docker.{key}") for each in migration.notes)
    assert migration.refused is True
    with pytest.raises(SettingsError, match=rf"docker\.{key}"):
        read(migration)


def test_what_may_go_without_harm_is_a_key() -> None:
    """And none of those that keep jobs from something."""
    known = same_keys(DockerSettings)

    assert set(MAY_GO) <= set(known)
    assert [each for each in MAY_GO if re.search("allowed|limit|drop|security|mem|cpu", each)] == []


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
        "[runners.docker] from_the_future: this executor has no such key; it is not carried over."
        in migration.notes
    )


def test_a_misspelt_key_is_told_what_it_resembles() -> None:
    """gitlab-runner takes no notice of it, so it may have stood there for years."""
    migration = migrated({"memroy": "4g"})

    assert (
        "[runners.docker] memroy: this executor has no such key (did you mean memory?);"
        " it is not carried over." in migration.notes
    )


def test_directories_of_the_runner() -> None:
    """They stand at the top of the settings."""
    migration = migrated({}, builds_dir="/work", cache_dir="/caches")

    settings = read(migration)
    assert (settings.builds_dir, settings.cache_dir) == ("/work", "/caches")


# --- Docker-in-Docker ---------------------------------------------------------------------------


def test_a_dind_service_becomes_the_sidecar() -> None:
    """Its arguments become keys where there are some."""
    command = [
        "dockerd",
        "--registry-mirror",
        "https://a",
        "--insecure-registry=b:5000",
        "--tls=false",
    ]
    command += ["--mtu=1400", "--host=tcp://0.0.0.0:2375", "--debug"]
    service = {"name": "docker:28-dind", "alias": "docker", "command": command}

    migration = migrated({"services": [service], "privileged": True})

    assert tomllib.loads(migration.settings) == {
        "docker": {"network_mtu": 1400},
        "dind": {
            "image": "docker:28-dind",
            "registry_mirrors": ["https://a"],
            "insecure_registries": ["b:5000"],
            "command": ["--debug"],
        },
    }
    said = "\n".join(migration.notes)
    for word in ("privileged", "it becomes `[dind] image`", "--tls", "--host", "--mtu"):
        assert word in said


@pytest.mark.parametrize(
    "more",
    [
        {"alias": "docker engine"},
        {"environment": ["HTTPS_PROXY=http://proxy"]},
        {"entrypoint": ["sh", "-c"]},
        {"command": ["sh", "-c", "dockerd"]},
    ],
)
def test_a_dind_service_with_more_stays_a_service(more: dict[str, object]) -> None:
    """What `[dind]` has no key for is kept; it is the sidecar all the same."""
    service = {"name": "docker:28-dind", **more}

    migration = migrated({"services": [service]})

    assert tomllib.loads(migration.settings)["docker"]["services"] == [service]
    assert any("which is its sidecar" in each for each in migration.notes)


def test_a_service_key_of_another_executor_is_named() -> None:
    """`suspend_data_path` is for Kubernetes."""
    migration = migrated({"services": [{"name": "redis:7", "suspend_data_path": "/x"}]})

    assert tomllib.loads(migration.settings)["docker"]["services"] == [{"name": "redis:7"}]
    assert any("suspend_data_path" in each for each in migration.notes)


def test_what_a_dind_service_loses_is_named() -> None:
    """As it has become the sidecar's image, and what speaks of its certificates goes."""
    environment = ["DOCKER_TLS_CERTDIR=", "DOCKER_HOST=tcp://0.0.0.0:2375"]
    service = {"name": "docker:28-dind", "environment": environment, "pull_policy": "never"}

    migration = migrated({"services": [service], "privileged": True})

    assert tomllib.loads(migration.settings) == {"dind": {"image": "docker:28-dind"}}
    said = [each.partition("services]] ")[2] for each in migration.notes]
    assert any(each.startswith("environment DOCKER_TLS_CERTDIR: empty, it") for each in said)
    assert any(each.startswith("environment DOCKER_HOST: not carried over") for each in said)
    assert any(each.startswith("pull_policy: no Docker executor reads it") for each in said)


def test_a_certificate_for_dind_goes_with_its_path() -> None:
    """The path alone would be an argument that dockerd does not know."""
    command = ["--debug", "--tlscacert", "/certs/ca.pem", "--tls", "--tlskey=/certs/key.pem"]
    service = {"name": "docker:28-dind", "command": command}

    migration = migrated({"services": [service], "privileged": True})

    assert read(migration).dind.command == ("--debug",)


def test_volumes_for_dind_go() -> None:
    """Certificates and the host's socket; the others are kept or named as they are."""
    migration = migrated(
        {"volumes": ["/certs/client", "/var/run/docker.sock:/var/run/docker.sock:ro"]}
    )

    assert "docker" not in tomllib.loads(migration.settings)
    assert any("made for each job" in each for each in migration.notes)
    assert any("whoever reaches the host's has the host" in each for each in migration.notes)


@pytest.mark.parametrize("volume", ["/var/lib/docker", "data:/var/lib/docker:rw"])
def test_data_for_dind_goes(volume: str) -> None:
    """The sidecar has a data directory of its own; what else there is stays."""
    migration = migrated({"volumes": ["/cache", volume]})

    assert tomllib.loads(migration.settings)["docker"]["volumes"] == ["/cache"]
    assert any("the sidecar's images are the job's own" in each for each in migration.notes)


def test_variables_for_dind_may_go() -> None:
    """They stay harmless, but for one that asks for no TLS."""
    environment = ["DOCKER_TLS_CERTDIR=", "DOCKER_HOST=tcp://docker:2375", "A=a-secret"]

    said = "\n".join(migrated({}, environment=environment).notes)

    assert "asks for Docker without TLS" in said
    assert "environment DOCKER_HOST: it may go" in said
    assert "a-secret" not in said


@pytest.mark.parametrize(
    ("docker", "privileged", "runtime", "named"),
    [
        ({"privileged": True}, True, "", False),
        ({}, True, "", True),
        ({"services_privileged": True}, True, "", False),
        ({"privileged": True, "services_privileged": False}, True, "", True),
        ({"runtime": "sysbox-runc"}, False, "sysbox-runc", False),
        ({"runtime": "kata", "privileged": True}, True, "kata", False),
        ({"runtime": "nvidia", "gpus": "all", "privileged": False}, True, "", True),
        ({"runtime": "nvidia", "privileged": True, "services_privileged": False}, True, "", True),
        ({"runtime": "sysbox-runc", "services_privileged": True}, False, "sysbox-runc", False),
    ],
)
def test_the_sidecars_privileges(
    docker: dict[str, object],
    privileged: bool,  # noqa: FBT001
    runtime: str,
    named: bool,  # noqa: FBT001
) -> None:
    """As those of dind were; where it could not run at all, that jobs get a daemon is said."""
    migration = migrated(docker)

    settings = read(migration)
    assert (settings.dind.privileged, settings.dind.runtime) == (privileged, runtime)
    assert settings.docker.containers.privileged is False
    assert any("jobs had no Docker-in-Docker" in each for each in migration.notes) is named


def test_a_runtime_that_the_sidecar_does_not_get() -> None:
    """Services without privileges could run in it, and dind cannot."""
    migration = migrated({"runtime": "nvidia", "gpus": "all"})

    assert read(migration).docker.containers.runtime == "nvidia"
    (said,) = [each for each in migration.notes if "[runners.docker] runtime:" in each]
    assert "not for the sidecar, as Docker-in-Docker needs privileges in nvidia" in said


@pytest.mark.parametrize("wrong", ["yes", [], {"a": 1}, 1])
@pytest.mark.parametrize("key", ["privileged", "services_privileged"])
def test_privileges_that_cannot_be_read(key: str, wrong: object) -> None:
    """Nothing is said of what they were."""
    migration = migrated({key: wrong})

    assert migration.refused is True
    assert [each for each in migration.notes if "it was off" in each] == []


# --- the runner's own section -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("use_slot_cgroups", True, "slots"),
        ("slot_cgroup_template", "a", "slots"),
        ("step_runner_image", "a", "native steps"),
        ("feature_flags", {"FF_NETWORK_PER_BUILD": True}, "may go"),
        ("machine", {"IdleCount": 1}, "autoscaling"),
        ("autoscaler", {"plugin": "aws"}, "autoscaling"),
        ("shell", "pwsh", "POSIX"),
        ("custom_build_dir", {"enabled": "no"}, "becomes false"),
        ("custom_build_dir", "no", "becomes false"),
        ("from_the_future", 1, "stays as it is"),
    ],
)
def test_keys_of_the_runner_that_change(key: str, value: object, word: str) -> None:
    """Named once."""
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


# --- the command --------------------------------------------------------------------------------

SECRETS = ("glrt-secret-token", "hidden-key", "variable-secret")


NAMED = (("gpu", 11), ("gpu", 12), ("1", 13))
"""Names and ids of runners."""


def config(directory: Path, *runners: dict[str, object]) -> Path:
    """Write a config.toml."""
    path = directory / "config.toml"
    path.write_text(toml.dumps({"concurrent": 4, "runners": list(runners)}), encoding="utf-8")
    return path


def a_runner(name: str = "one", executor: str = "docker") -> dict[str, object]:
    """Return a runner with secrets."""
    return {
        "name": name,
        "url": "https://gitlab.example.com",
        "token": SECRETS[0],
        "executor": executor,
        "environment": [f"A={SECRETS[2]}"],
        "cache": {"s3": {"SecretKey": SECRETS[1]}},
        "docker": {"image": "ruby:3", "privileged": True},
    }


def documents(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the parts of what the command prints, each by its title."""
    parts = re.split(r"^# ===== (.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    return [
        (title, tomllib.loads(part)) for title, part in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_the_command_prints_settings_and_section(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both load; no secret is in either."""
    assert run_command(["migrate", str(config(tmp_path, a_runner()))]) == 0

    out, err = capfd.readouterr()
    (path, settings), (_, section) = documents(out)
    assert path == "/etc/dind-executor/settings.toml"
    assert settings == {"docker": {"image": "ruby:3"}}
    (runner,) = section["runners"]
    assert runner["executor"] == "custom"
    assert runner["custom"]["run_args"] == ["--settings", path]
    assert runner["safe_directory_checkout"] is True
    assert runner["custom_build_dir"] == {"enabled": True}
    assert "# Keep as they are in config.toml: token, environment, [runners.cache]." in out
    assert [secret for secret in SECRETS if secret in out + err] == []
    assert "one: [runners.docker] privileged: not carried over" in err


def test_several_runners_get_a_file_each(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And one alone can be named."""
    path = config(tmp_path, a_runner("one"), a_runner("The Second!"), a_runner("sh", "shell"))

    assert run_command(["migrate", str(path)]) == 0
    out, err = capfd.readouterr()
    titles = [title for title, _ in documents(out)]
    assert titles[::2] == [
        "/etc/dind-executor/settings-one.toml",
        "/etc/dind-executor/settings-the-second.toml",
    ]
    assert "the runner 'sh' is left as it is: its executor is shell." in err

    assert run_command(["migrate", str(path), "--runner", "one"]) == 0
    assert len(documents(capfd.readouterr().out)) == 2


def test_no_two_runners_share_settings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever their names; notes say by a number which of them is meant."""
    names = ("gpu", "gpu", "GPU", "gpu-2", "", "")
    path = config(tmp_path, *(a_runner(name) for name in names))

    assert run_command(["migrate", str(path)]) == 0

    out, err = capfd.readouterr()
    words = ("gpu", "gpu-2", "gpu-3", "gpu-2-2", "runner", "runner-2")
    paths = [f"/etc/dind-executor/settings-{word}.toml" for word in words]
    found = documents(out)
    assert [title for title, _ in found[::2]] == paths
    assert [each["runners"][0]["custom"]["run_args"][1] for _, each in found[1::2]] == paths
    titles = [each.partition(": ")[0] for each in err.splitlines()[:-1]]
    assert titles == ["gpu (runner 1)", "gpu (runner 2)", "GPU", "gpu-2", "runner 5", "runner 6"]


def test_a_runner_by_its_number(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """For those whose names are the same; a name that is a number goes before it."""
    path = config(tmp_path, *(a_runner(name) | {"id": id_} for name, id_ in NAMED))

    def migrated_ids(*args: str) -> list[int]:
        assert run_command(["migrate", str(path), *args]) == 0
        return [each["runners"][0]["id"] for _, each in documents(capfd.readouterr().out)[1::2]]

    assert migrated_ids("--runner", "2") == [12]
    assert migrated_ids("--runner", "gpu") == [11, 12]
    assert migrated_ids("--runner", "1") == [13]

    assert run_command(["migrate", str(path), "--runner", "gpu", "--output", "/nowhere"]) == 2
    assert "name one of gpu (runner 1), gpu (runner 2), or its number" in capfd.readouterr().err


def test_keys_are_read_in_any_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As gitlab-runner reads them: a limit may have stood there as `Memory` for years."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[[runners]]\nName = "one"\nExecutor = "docker"\n[runners.Docker]\nMemory = "4g"\n'
        '[[runners.Docker.Services]]\nName = "redis:7"\n'
    )

    assert run_command(["migrate", str(path)]) == 0

    (_, settings), _ = documents(capfd.readouterr().out)
    assert settings == {"docker": {"memory": "4g", "services": [{"name": "redis:7"}]}}


def test_refused_settings_are_told_by_the_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And are printed all the same."""
    docker = {"cap_drop": ["NET_RAW", "SYS-ADMIN"]}
    path = config(tmp_path, a_runner() | {"docker": docker})

    assert run_command(["migrate", str(path)]) == 1
    assert documents(capfd.readouterr().out)[0][1] == {"docker": docker}


def test_that_caches_begin_empty_is_told_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """For all runners together."""
    path = config(tmp_path, a_runner("one"), a_runner("two"))

    assert run_command(["migrate", str(path)]) == 0

    assert capfd.readouterr().err.count("Caches and fetched sources begin empty") == 1


def test_the_settings_are_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """For their owner alone, and never over another file unless told to."""
    path, output = config(tmp_path, a_runner()), tmp_path / "settings.toml"
    args = ["migrate", str(path), "--output", str(output)]

    assert run_command(args) == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert read_settings(output.read_text(), str(output)).docker.images.image == "ruby:3"
    ((_, section),) = documents(capfd.readouterr().out)
    assert section["runners"][0]["custom"]["run_args"] == ["--settings", str(output)]

    output.write_text("mine")
    assert run_command(args) == 2
    assert "exists already: --force overwrites it." in capfd.readouterr().err
    assert output.read_text() == "mine"
    assert run_command([*args, "--force"]) == 0
    assert output.read_text() != "mine"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "config.toml cannot be read: No such file or directory."),
        ("a = [", "config.toml is not TOML: "),
        ("concurrent = 1\n", "config.toml has no [[runners]]."),
        ("runners = 1\n", "config.toml has no [[runners]]."),
        ("runners = []\n", "config.toml has no [[runners]]."),
        (
            '[[runners]]\nname = "a"\nexecutor = "docker"\ndocker = 3\n',
            "[runners.docker] of the runner 'a' in",
        ),
        ('[[runners]]\nexecutor = "shell"\n', 'no runner with executor = "docker" to migrate.'),
        ('[[runners]]\nexecutor = "docker+machine"\n', "and scales machines"),
        ('[[runners]]\nexecutor = "docker-autoscaler"\n', "and scales machines"),
    ],
)
def test_nothing_to_migrate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str | None, sentence: str
) -> None:
    """One clear sentence, and exit code 2."""
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_text(content)

    assert run_command(["migrate", str(path)]) == 2

    out, err = capfd.readouterr()
    assert out == ""
    assert sentence in err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--runner", "three"], "has no runner 'three': name one of one, two, or its number."),
        (["--runner", "0"], "has no runner '0': name one of one, two, or its number."),
        (["--output", "/nowhere"], "name one of one, two, or its number, with --runner."),
    ],
)
def test_which_runner_is_meant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], args: list[str], sentence: str
) -> None:
    """The sentence says what there is."""
    path = config(tmp_path, a_runner("one"), a_runner("two"))

    assert run_command(["migrate", str(path), *args]) == 2
    assert sentence in capfd.readouterr().err


def test_the_page_shows_what_the_command_prints() -> None:
    """The example of docs/migrating.md, to the letter: `python -m tests.migrating` writes it."""
    before, *after = shown()

    assert after == printed(before)
