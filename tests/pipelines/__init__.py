"""The pipeline files that every registration of dind-executor must pass, and what authors leave out of them.

The files of the page "Build and push container images to the container registry" carry its text
unchanged. `variables` gives what they refer to besides GitLab's own names.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.rig.state import Rig

PAGE = ("own-registry", "dependency-proxy", "push", "push-variable", "four-stages")
OTHERS = ("no-services", "plain-tcp", "no-entrypoint")

Document = dict[str, Any]

_TLS_VARIABLES = ("DOCKER_HOST", "DOCKER_TLS_CERTDIR")


def path(name: str) -> Path:
    """Return the file of a pipeline."""
    return Path(__file__).with_name(f"{name}.yml")


def text(name: str, *left_out: str) -> str:
    """Return a pipeline's text, with the parts of `LEFT_OUT` left out that are named."""
    content = path(name).read_text(encoding="utf-8")
    if not left_out:
        return content
    document = yaml.safe_load(content)
    for part in left_out:
        LEFT_OUT[part](document)
    return yaml.safe_dump(document, sort_keys=False)


def cases() -> list[tuple[str, tuple[str, ...]]]:
    """Return every file of the page, whole and with each part left out that it has, and all."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for name in PAGE:
        whole = yaml.safe_load(text(name))
        present = tuple(part for part in LEFT_OUT if yaml.safe_load(text(name, part)) != whole)
        found += [(name, ()), *((name, (part,)) for part in present)]
        if len(present) > 1:
            found.append((name, present))
    return found


def variables(rig: Rig) -> Mapping[str, str]:
    """Return the variables of a project whose GitLab is the rig."""
    return {**rig.variables(), "TOOLS_REGISTRY": rig.hub}


def _without_alias(document: Document) -> None:
    """The author forgot to name the dind service `docker`."""
    for block in _blocks(document):
        services = block.get("services", ())
        for service in services:
            if isinstance(service, dict):
                service.pop("alias", None)


def _without_tls_variables(document: Document) -> None:
    """The author forgot to say where the daemon is and where its certificates are."""
    for block in (document, *_blocks(document)):
        values = block.get("variables", {})
        for key in _TLS_VARIABLES:
            values.pop(key, None)


def _without_login(document: Document) -> None:
    """The author forgot to log in to the registry."""
    for block in _blocks(document):
        for key in ("before_script", "script"):
            if key in block:
                block[key] = [line for line in block[key] if "docker login" not in line]


def _blocks(document: Document) -> list[Document]:
    return [block for block in document.values() if isinstance(block, dict)]


LEFT_OUT: Mapping[str, Callable[[Document], None]] = {
    "alias": _without_alias,
    "tls": _without_tls_variables,
    "login": _without_login,
}
