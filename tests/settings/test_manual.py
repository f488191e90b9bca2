"""The documents that the settings write of themselves."""

import re
from pathlib import Path

from executor.settings.file import (
    DindSettings,
    DockerSettings,
    LogSettings,
    Settings,
    read_settings,
)
from executor.settings.keys import Section, keys_of
from executor.settings.manual import documented_defaults, installed_settings, manual_page
from executor.settings.volumes import VolumeSettings

PATH = "/etc/dind-executor/settings.toml"
PAGE = Path(__file__).parents[2] / "docs/settings.md"


def test_the_documented_defaults_are_the_defaults() -> None:
    """What `dind-executor settings` prints is a settings file that changes nothing."""
    assert read_settings(documented_defaults(), PATH) == Settings()


def test_an_installation_keeps_caches() -> None:
    """`/cache` is a volume, as gitlab-runner's registration writes it; the rest is the default."""
    installed = read_settings(installed_settings(), PATH)
    assert installed.docker.volumes.volumes == (installed.cache_dir,)
    docker = installed.docker.changed(volumes=VolumeSettings())
    assert installed.changed(docker=docker) == Settings()


def test_the_documented_defaults_can_be_uncommented() -> None:
    """A key shown unset, because its default depends on another, is shown as it is written."""
    text = documented_defaults().replace("\n# privileged =", "\nprivileged =")

    assert read_settings(text, PATH) == Settings()
    assert "\nprivileged = true\n" in text


def test_every_key_is_documented() -> None:
    """Each key stands in both documents, under its section, with a sentence of its own."""
    sections: dict[str, type[Section]] = {
        "": Settings,
        "docker": DockerSettings,
        "dind": DindSettings,
        "log": LogSettings,
    }
    documents: list[str] = []
    for section, kind in sections.items():
        for name, each in keys_of(kind):
            documents.append(each.doc)
            shown = f"\n# [[{section}.{name}]]" if each.section else f"\n{name} = "
            assert shown in re.sub(r"\n# (\w+ = )", r"\n\1", documented_defaults())
            assert f"\n### `{name}`\n" in manual_page()

    assert len(set(documents)) == len(documents)
    assert all(text.endswith((".", "`")) for text in documents)


def test_the_page_is_up_to_date() -> None:
    """docs/settings.md is what the settings say of themselves.

    To write it again: `python -c 'from executor.settings.manual import manual_page as page;
    print(page(), end="")' > docs/settings.md`.
    """
    assert PAGE.read_text(encoding="utf-8") == manual_page()
