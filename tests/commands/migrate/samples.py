"""Runners of the Docker executor, migrated."""

from executor.commands.migrate.runner import Migration, migrate_runner
from executor.settings.file import Settings, read_settings

MENDED = "correct this, because dind-executor refuses the settings until then: "


def migrated(docker: dict[str, object], **runner: object) -> Migration:
    """Return what becomes of a runner with these keys."""
    return migrate_runner({"name": "one", "executor": "docker", **runner, "docker": docker})


def read(migration: Migration) -> Settings:
    """Return the settings that were written."""
    return read_settings(migration.settings, "settings.toml")
