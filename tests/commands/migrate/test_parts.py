"""What of a value is right, and which keys may do with the right parts alone."""

import re
import tomllib

import pytest

from executor.commands.migrate.rules import MAY_GO
from executor.errors import SettingsError
from executor.settings.file import DockerSettings
from executor.settings.keys import same_keys
from tests.commands.migrate.samples import MENDED, migrated, read


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
    """A wrong key that restricts jobs is written all the same, so the settings are refused."""
    migration = migrated({key: value})

    assert tomllib.loads(migration.settings)["docker"][key] == value
    assert f"\n# Correct this: docker.{key}" in f"\n{migration.settings}"
    assert any(each.startswith(f"{MENDED}docker.{key}") for each in migration.notes)
    assert migration.refused is True
    with pytest.raises(SettingsError, match=rf"docker\.{key}"):
        read(migration)


def test_what_may_go_without_harm_is_a_key() -> None:
    """No key that keeps jobs from something is among them."""
    known = same_keys(DockerSettings)

    assert set(MAY_GO) <= set(known)
    assert [each for each in MAY_GO if re.search("allowed|limit|drop|security|mem|cpu", each)] == []
