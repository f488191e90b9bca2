"""The sample project behind `git http-backend`: git over smart HTTP, with a login.

As a process: `python -m tests.rig.git ADDRESS PORT ROOT HTPASSWD-JSON`.
"""

import base64
import http.server
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.rig import processes
from tests.rig.paths import PROJECT_FILES, SOURCES, WORK
from tests.rig.say import RigError

PORT = 5080
PROCESS = "git"
PROJECT = "group/project"
_ROOT = WORK / "git"
_USERS = WORK / "git-users.json"


def start(address: str, users: dict[str, str]) -> str:
    """Ensure that the server runs; return its base URL, to which `group/project.git` is added."""
    repository = _ROOT / f"{PROJECT}.git"
    if not repository.exists():
        create(repository, PROJECT_FILES)
    _USERS.touch(mode=0o600)
    _USERS.write_text(json.dumps(users), encoding="utf-8")
    module = [sys.executable, "-m", "tests.rig.git", address, str(PORT), str(_ROOT), str(_USERS)]
    processes.start(PROCESS, module, {"PYTHONPATH": str(SOURCES.parent.parent)})
    url = f"http://{address}:{PORT}"
    _await_answer(url)
    return url


def stop() -> bool:
    """End the server and return whether there was one."""
    return processes.stop(PROCESS)


def create(repository: Path, files: Path) -> str:
    """Make a bare repository whose branch `main` holds these files; return the commit."""
    tree = repository.with_name(repository.name + ".tree")
    shutil.copytree(files, tree)
    _git(tree, "init", "--quiet", "--initial-branch=main")
    _git(tree, "add", "--all")
    _git(tree, "commit", "--quiet", "--message=Sample project")
    commit = _git(tree, "rev-parse", "HEAD").strip()
    _git(tree, "clone", "--quiet", "--bare", str(tree), str(repository))
    # Runners fetch a commit by its id, also one that no branch names any more.
    _git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.rmtree(tree)
    return commit


def _git(directory: Path, *arguments: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "Rig", "GIT_AUTHOR_EMAIL": "rig@example.com",
        "GIT_COMMITTER_NAME": "Rig", "GIT_COMMITTER_EMAIL": "rig@example.com",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    }  # fmt: skip
    command = ["git", "-C", str(directory), *arguments]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **identity}
    )
    if done.returncode != 0:
        raise RigError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout


def _await_answer(url: str, timeout_seconds: float = 20) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and processes.running(PROCESS) is not None:
        try:
            direct.open(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise processes.fail(PROCESS, f"The git server on {url} does not answer.")


class GitServer(http.server.ThreadingHTTPServer):
    """Serves the repositories below a directory to these users, name to password."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], root: Path, users: dict[str, str]) -> None:
        super().__init__(address, _Handler)
        self.root = root
        self.logins = {
            "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
            for user, password in users.items()
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request to `git http-backend`, a CGI program."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer what a clone asks first."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Answer the negotiation."""
        self._serve(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self, body: bytes) -> None:
        assert isinstance(self.server, GitServer)
        if self.headers.get("Authorization") not in self.server.logins:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        backend = subprocess.run(
            ["git", "http-backend"],
            input=body,
            check=False,
            capture_output=True,
            env=self._environment(self.server.root, len(body)),
        )
        head, _, content = backend.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _environment(self, root: Path, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "git",
            "REMOTE_ADDR": self.client_address[0],
        }


def main(arguments: list[str]) -> None:
    """Serve until the process is ended."""
    address, port, root, users = arguments
    logins = json.loads(Path(users).read_text(encoding="utf-8"))
    GitServer((address, int(port)), Path(root), logins).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
