"""The two artifact commands of gitlab-runner, enough of them to try the embedded server.

Installed on the fake driver's PATH as `gitlab-runner` where there is no real one.
"""

import argparse
import io
import sys
import urllib.request
import zipfile
from pathlib import Path


def main() -> None:
    """Upload or download an archive."""
    if sys.argv[1:] == ["--version"]:
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("--path", action="append", default=[])
    for option in ("url", "token", "id", "name", "artifact-format", "artifact-type", "expire-in"):
        parser.add_argument(f"--{option}")
    options = parser.parse_args()
    address = f"{options.url}/api/v4/jobs/{options.id}/artifacts"
    headers = {"JOB-TOKEN": options.token}
    if options.command == "artifacts-uploader":
        boundary = "a-boundary"
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        part = 'Content-Disposition: form-data; name="file"; filename="a.zip"'
        before = f"--{boundary}\r\n{part}\r\nContent-Type: application/octet-stream\r\n\r\n"
        content = before.encode() + _zipped(options.path) + f"\r\n--{boundary}--\r\n".encode()
        # An iterable body goes out in chunks, as the real client's does.
        request = urllib.request.Request(address, iter([content]), headers, method="POST")
        urllib.request.urlopen(request).close()
        return
    with urllib.request.urlopen(urllib.request.Request(address, None, headers)) as response:
        zipfile.ZipFile(io.BytesIO(response.read())).extractall()


def _zipped(patterns: list[str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for pattern in patterns:
            for kept in sorted(Path().glob(pattern)):
                for path in [kept, *sorted(kept.rglob("*"))]:
                    archive.write(path)
    return target.getvalue()


main()
