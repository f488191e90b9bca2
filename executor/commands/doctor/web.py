"""One question to a web server: what it answers, from where it is asked, and never elsewhere."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from executor.commands.doctor.facts import Answer
from executor.sweep.gitlab_api import CERTIFICATES, tls_context
from executor.sweep.proxy import UnknownProxy, proxy_for

if TYPE_CHECKING:
    from http.client import HTTPMessage

_SECONDS = 8.0
_MOST_BYTES = 4 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: it may lead to a login page, or to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: "HTTPMessage",
        newurl: str,
    ) -> None:
        """Follow none."""


def get(url: str, authorities: str, environ: Mapping[str, str]) -> Answer:
    """Return the answer to a GET; `authorities` are certificates in PEM that count besides the host's.

    Raises OSError or ValueError, whose text says why there is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise ValueError("it is no address of a web server")
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect(), _proxies(environ, url)]
    if parts.scheme == "https":
        context = tls_context(parts.hostname or "", authorities, CERTIFICATES)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, headers={"User-Agent": "dind-executor"})  # noqa: S310
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            return _answer(response.status, response.headers, response.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read(_MOST_BYTES))
    except urllib.error.URLError as error:
        raise OSError(_why(error.reason)) from None


def _answer(status: int, headers: Message, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _proxies(environ: Mapping[str, str], url: str) -> urllib.request.ProxyHandler:
    """Return the proxy that gitlab-runner would use; raises ValueError for one of an unknown kind."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        proxy = proxy_for(parts.scheme, parts.hostname or "", port, environ)
    except UnknownProxy:
        raise ValueError("the proxy of the environment is of an unknown kind") from None
    if proxy is None:
        return urllib.request.ProxyHandler({})
    login = f"{proxy.login}@" if proxy.login else ""
    return urllib.request.ProxyHandler({parts.scheme: f"http://{login}{proxy.host}:{proxy.port}"})


def _why(reason: object) -> str:
    import ssl

    if isinstance(reason, ssl.SSLCertVerificationError):
        return "its certificate is signed by an authority that is not known here, or is for another name"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or "it does not answer"
