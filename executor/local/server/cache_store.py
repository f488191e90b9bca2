"""The caches of one project, as a distributed cache would keep them: one archive per key."""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from executor.local.errors import LocalError

_LONGEST_READABLE = 100
_DIGEST_DIGITS = 16


class CacheStore:
    """A directory of archives that outlives the pipeline."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = (
                f"{directory}: cannot be created ({error.strerror}); give another --cache-server"
            )
            raise LocalError(message) from None

    def path(self, key: str) -> Path:
        """Return where the archive of a key is, if there is one."""
        digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_DIGITS]
        readable = quote(key, safe="")[:_LONGEST_READABLE]
        return self._directory / f"{readable}-{digest}.zip"

    def keep(self, key: str, content: BinaryIO) -> None:
        """Keep an archive; whoever reads an older one at this moment reads on."""
        with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as file:
            shutil.copyfileobj(content, file)
        Path(file.name).replace(self.path(key))
