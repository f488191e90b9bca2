"""Which path shows what."""

import os
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from executor import __version__
from executor.commands.metrics.exposition import exposition
from executor.commands.metrics.host import Host
from executor.commands.metrics.keeper import Keeper
from executor.commands.metrics.page.details import details
from executor.commands.metrics.page.facts import Facts
from executor.commands.metrics.page.history import History
from executor.commands.metrics.page.overview import overview
from executor.commands.metrics.page.rows import now_rows, past_rows
from executor.commands.metrics.server import Answer

BEHIND_SECONDS = 60.0

_HTML, _CSS, _SVG = "text/html; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"
_STYLE = Path(__file__).parent / "page" / "style.css"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3"'
    ' fill="#4c78a8"/><path d="M3 5h6M5 8h8M3 11h5" stroke="#fff" stroke-width="2"/></svg>\n'
)
_NO_PAGE = Answer(b"There is no such page.\n", status=HTTPStatus.NOT_FOUND)


class Site:
    """What is served."""

    def __init__(self, keeper: Keeper, host: Host, spool: str) -> None:
        """Take who knows; nothing is looked at yet."""
        self._keeper = keeper
        self._host = host
        self._history = History(spool)
        self._style = _STYLE.read_bytes()

    def warm_up(self) -> None:
        """Read what the last jobs have left; with a full spool it takes a second or two."""
        self._history.look()

    def serve(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a request."""
        if path.startswith("/jobs/"):
            return self._job(path.removeprefix("/jobs/"))
        pages: dict[str, Callable[[], Answer]] = {
            "/": self._overview,
            "/metrics": lambda: self._metrics(headers.get("accept", "")),
            "/healthz": self._health,
            "/style.css": lambda: Answer(self._style, _CSS),
            "/icon.svg": lambda: Answer(_ICON.encode(), _SVG),
        }
        return pages[path]() if path in pages else _NO_PAGE

    def lag(self) -> float | None:
        """Return for how long the spool has not been read; None where it never has."""
        read_at = self._keeper.read_at
        return None if read_at is None else time.monotonic() - read_at

    def _metrics(self, accepts: str) -> Answer:
        self._keeper.look()
        return Answer(*exposition(self._keeper.snapshot(), self._host, self.lag(), accepts))

    def _overview(self) -> Answer:
        return Answer(overview(self._facts()).encode(), _HTML)

    def _facts(self) -> Facts:
        host = self._host
        seen = host.look()
        is_read = self._keeper.look()
        going, ended = self._history.look()
        now = time.time()
        running, silent = now_rows(going, seen.engine.containers if seen.engine else None, now)
        return Facts(
            os.uname().nodename,
            __version__,
            now,
            seen,
            running,
            silent,
            past_rows(ended),
            host.limits,
            host.budgets,
            host.doctor_file,
            is_read,
        )

    def _job(self, key: str) -> Answer:
        going, ended = self._history.look()
        for told in (*going, *ended):
            if told.key == key and told.records:
                return Answer(details(told, time.time()).encode(), _HTML)
        return _NO_PAGE

    def _health(self) -> Answer:
        lag = self.lag()
        if lag is None or lag > BEHIND_SECONDS:
            sentence = b"The spool cannot be read.\n"
            return Answer(sentence, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer(b"ok\n")
