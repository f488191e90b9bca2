"""Files as a tar archive, the form in which the engine takes them."""

import io

from executor.spec import FileSpec


def archive(files: tuple[FileSpec, ...]) -> bytes:
    """Return an archive of `files`, owned by root.

    Without their directories: the engine makes those that are missing and leaves the others as
    they are.
    """
    import tarfile  # noqa: PLC0415 (only prepare puts files into containers)

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in files:
            info = tarfile.TarInfo(file.path.lstrip("/"))
            info.size = len(file.content)
            info.mode = file.mode
            tar.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()
