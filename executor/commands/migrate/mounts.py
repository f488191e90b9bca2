"""What becomes of the runner's `volumes`, by what each leads to: pure."""

from collections.abc import Mapping, Sequence

from executor.commands.migrate.reach import is_socket, shows_socket
from executor.notation.paths import CERTS_DIRECTORY, DATA_ROOT, clean, is_within
from executor.notation.volumes import InvalidVolume, VolumeEntry, parse_volume

Table = Mapping[str, object]
_SOCKET = (
    "not carried over. Each job has its own Docker daemon, and a job that reaches the host's daemon"
    " controls the host. Images and containers that a job makes end with it: pass images on through"
    " a registry, and keep the Docker executor for jobs whose containers must stay on this host"
    " (docs/migrating.md)"
)
_ALL_OF_HOST = (
    "decide: it is carried over, and shows the host's Docker socket to every job. A job that reaches"
    " the host's daemon controls the host: mount only the directories that jobs need"
)
_CERTIFICATES = (
    "not carried over. dind-executor makes the sidecar's certificates for each job and keeps them on"
    " no disk"
)
_OTHER_CERTIFICATES = (
    "not carried over. The sidecar's certificates are there, and dind-executor makes them for each"
    " job. If jobs need what is in it, mount it in another directory"
)
_DATA = (
    "not carried over. Each sidecar has its own images. Set `[dind] registry_mirrors` to make their"
    " pulls faster"
)


def kept_volumes(
    volumes: Sequence[object], docker: Table, variables: Mapping[str, str], notes: list[str]
) -> list[object]:
    """Return the volumes that jobs keep; say what becomes of the others."""
    certificates = clean(variables.get("DOCKER_TLS_CERTDIR") or CERTS_DIRECTORY)
    kept = []
    for volume in volumes:
        try:
            entry = parse_volume(str(volume))
        except InvalidVolume:
            kept.append(volume)  # the settings' own reader says what is wrong with it
            continue
        why = _why(entry, docker, certificates)
        if why:
            notes.append(f"[runners.docker] volumes {str(volume)!r}: {why}.")
        if why in ("", _ALL_OF_HOST):
            kept.append(volume)
    return kept


def _why(entry: VolumeEntry, docker: Table, certificates: str) -> str:
    """Return what is to be said of an entry, "" where it stays what it was."""
    destination = clean(entry.destination)
    if is_socket(entry, docker):
        return _SOCKET
    parts = (certificates, *(f"{certificates}/{each}" for each in ("client", "ca", "server")))
    if destination in parts:
        return _OTHER_CERTIFICATES if entry.source else _CERTIFICATES
    if is_within(destination, DATA_ROOT):
        return _DATA
    return _ALL_OF_HOST if shows_socket(entry, docker) else ""
