"""Which jobs may speak to the server, and the artifacts that they left."""

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredArtifacts:
    """An archive that a job uploaded."""

    path: Path
    size: int


class ArtifactStore:
    """The jobs' tokens and archives, shared by the threads of the server."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._tokens: dict[int, str] = {}
        self._stored: dict[int, StoredArtifacts] = {}
        self._reported: dict[int, tuple[tuple[str, str], ...]] = {}

    def admit(self, job_id: int) -> str:
        """Return a new token for a job."""
        token = f"glcbt-{secrets.token_hex(20)}"
        with self._lock:
            self._tokens[job_id] = token
        return token

    def dismiss(self, job_id: int) -> None:
        """Let a job's token be worth nothing from now on."""
        with self._lock:
            self._tokens.pop(job_id, None)

    def knows(self, token: str) -> bool:
        """Tell whether a running job has this token."""
        with self._lock:
            return any(
                secrets.compare_digest(token.encode(), own.encode())
                for own in self._tokens.values()
            )

    def owns(self, token: str, job_id: int) -> bool:
        """Tell whether the token is that job's."""
        with self._lock:
            own = self._tokens.get(job_id)
        return own is not None and secrets.compare_digest(token.encode(), own.encode())

    def keep(self, job_id: int, body: BinaryIO, size: int) -> None:
        """Keep the next `size` bytes as a job's artifacts."""
        path = self._directory / f"{job_id}.zip"
        left = size
        with path.open("wb") as file:
            while left and (chunk := body.read(min(left, _COPY_BYTES))):
                file.write(chunk)
                left -= len(chunk)
        with self._lock:
            self._stored[job_id] = StoredArtifacts(path, size)

    def keep_report(self, job_id: int, variables: tuple[tuple[str, str], ...]) -> None:
        """Keep the variables that a job leaves for later ones."""
        with self._lock:
            self._reported[job_id] = variables

    def reported_by(self, job_id: int) -> tuple[tuple[str, str], ...]:
        """Return the variables that a job left."""
        with self._lock:
            return self._reported.get(job_id, ())

    def of(self, job_id: int) -> StoredArtifacts | None:
        """Return a job's artifacts, if it left any."""
        with self._lock:
            return self._stored.get(job_id)
