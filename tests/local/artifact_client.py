"""The artifact and cache commands of gitlab-runner, enough of them to try the embedded server.

Installed on the fake hooks' PATH as `gitlab-runner` where there is no real one.
"""

import argparse
import gzip
import io
import sys
import urllib.error
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
    for option in ("file", "timeout"):
        parser.add_argument(f"--{option}")
    options = parser.parse_args()
    if options.command == "cache-archiver":
        _save(Path(options.file), _zipped(options.path), options.url)
    elif options.command == "cache-extractor":
        _restore(Path(options.file), options.url)
    elif options.command == "artifacts-uploader":
        _upload(options)
    else:
        _download(options)


def _upload(options: argparse.Namespace) -> None:
    address = f"{options.url}/api/v4/jobs/{options.id}/artifacts"
    boundary = "a-boundary"
    kind = f"multipart/form-data; boundary={boundary}"
    headers = {"JOB-TOKEN": options.token, "Content-Type": kind}
    part = 'Content-Disposition: form-data; name="file"; filename="a.zip"'
    before = f"--{boundary}\r\n{part}\r\nContent-Type: application/octet-stream\r\n\r\n"
    kept = _zipped if options.artifact_format == "zip" else _gzipped
    content = before.encode() + kept(options.path) + f"\r\n--{boundary}--\r\n".encode()
    # An iterable body goes out in chunks, as the real client's does.
    query = f"artifact_type={options.artifact_type}"
    request = urllib.request.Request(f"{address}?{query}", iter([content]), headers, method="POST")
    urllib.request.urlopen(request).close()


def _download(options: argparse.Namespace) -> None:
    address = f"{options.url}/api/v4/jobs/{options.id}/artifacts"
    headers = {"JOB-TOKEN": options.token}
    with urllib.request.urlopen(urllib.request.Request(address, None, headers)) as response:
        zipfile.ZipFile(io.BytesIO(response.read())).extractall()


def _save(file: Path, content: bytes, url: str | None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    if url:
        urllib.request.urlopen(urllib.request.Request(url, content, method="PUT")).close()


def _restore(file: Path, url: str | None) -> None:
    if url:
        try:
            with urllib.request.urlopen(url) as response:
                content = response.read()
        except urllib.error.HTTPError:
            sys.exit("WARNING: file does not exist")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    if not file.exists():
        sys.exit("WARNING: Cache file does not exist")
    zipfile.ZipFile(file).extractall()


def _gzipped(patterns: list[str]) -> bytes:
    paths = [path for pattern in patterns for path in sorted(Path().glob(pattern))]
    return b"".join(gzip.compress(path.read_bytes()) for path in paths)


def _zipped(patterns: list[str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for pattern in patterns:
            for kept in sorted(Path().glob(pattern)):
                for path in [kept, *sorted(kept.rglob("*"))]:
                    archive.write(path)
    return target.getvalue()


main()
