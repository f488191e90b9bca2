"""Loads gitlab-runner's helper image from the archives of its packages.

Loaded by `prepare` where the engine has not got the image.
"""

import time
from collections.abc import Callable

from executor.engine.archives import LoadFailed
from executor.engine.docker import Engine
from executor.host.helper_archive import find_archives
from executor.log import AdministratorLog
from executor.spec import ImageFacts


def load_helper(
    engine: Engine, image: str, archive: str, log: AdministratorLog, say: Callable[[str], None]
) -> ImageFacts | None:
    """Make `image` of an archive whose name begins with `archive`; return None where there is none.

    One that cannot be loaded is a warning.
    """
    for path in find_archives(archive):
        started = time.monotonic()
        try:
            facts = engine.load_image(path, image)
        except LoadFailed as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            say(
                f"WARNING: The helper image could not be loaded from {path} ({reason}), so it"
                " is taken from elsewhere. If the file is damaged, reinstall"
                " gitlab-runner-helper-images."
            )
            continue
        log.done("image loaded", started, image=image, file=path)
        return facts
    return None
