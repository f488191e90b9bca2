"""`dind-executor metrics`: serves numbers and a page of this host, or writes the numbers to a file."""

import argparse
import os
import signal
import threading
from pathlib import Path

from executor.commands.metrics.exposition import exposition
from executor.commands.metrics.host import Host
from executor.commands.metrics.keeper import LOCK, Keeper
from executor.commands.metrics.server import Address, Server
from executor.commands.metrics.site import Site
from executor.errors import SettingsError
from executor.host import state_files
from executor.log import complain, say
from executor.reading import spool_of
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings

SETTINGS = "/etc/dind-executor/settings.toml"
LISTEN = "127.0.0.1:9477"
FAILED, USAGE, BUSY = 1, 2, 75

_LOOK_SECONDS = 5.0
"""From one look at the spool to the next; a scrape looks by itself."""
_LOCK_SECONDS = 10.0
_WARM_UP_SECONDS = 10.0
"""So long after the start the last jobs are read for the page, so that the first scrapes do not wait for it."""


def main(args: list[str]) -> int:
    """Serve until a signal comes, or write once; return an exit code.

    0: done. 1: the numbers cannot be read or written. 2: called or configured wrongly. 75: another one
    is at work.
    """
    given = _parser().parse_args(args)
    try:
        settings = _settings(given.settings)
    except SettingsError as error:
        return _refuse(str(error), USAGE)
    spool, state_dir = spool_of(settings), settings.sweep.state_dir
    if not spool:
        return _refuse("`[log] records = false` in the settings: there is nothing to count.", USAGE)
    with state_files.locked(state_dir, LOCK, _LOCK_SECONDS) as is_ours:
        if not is_ours:
            return _refuse(f"Another one counts in {state_dir} already.", BUSY)
        try:
            keeper = Keeper(state_dir, spool)
        except OSError as error:
            return _refuse(f"{error.filename}: {error.strerror}.", USAGE)
        host = Host(settings, RunnerEnv.current(), given.doctor)
        if given.textfile is not None:
            return _write(keeper, host, given.textfile)
        return _serve(keeper, host, spool, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor metrics",
        description="Serve what happens on this host: numbers for Prometheus at /metrics, and a page for"
        " a browser at /.",
        epilog="Exit codes: 0 done; 1 the numbers cannot be read or written; 2 wrong use; 75 another one"
        " is at work.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        default=LISTEN,
        help="where to serve (default: %(default)s)",
    )
    where.add_argument(
        "--textfile",
        metavar="PATH",
        type=Path,
        help="write the numbers to a file once, for the textfile collector of node_exporter",
    )
    parser.add_argument(
        "--host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name by which this host may be asked, besides its own and its addresses; may be"
        " repeated",
    )
    parser.add_argument(
        "--doctor",
        metavar="FILE",
        default="",
        help="what `dind-executor doctor --record` writes (default: doctor.json in `[sweep] state_dir`)",
    )
    parser.add_argument(
        "--settings",
        metavar="PATH",
        default="",
        help=f"dind-executor's settings (default: {SETTINGS} if it is there)",
    )
    return parser


def _serve(keeper: Keeper, host: Host, spool: str, given: argparse.Namespace) -> int:
    site = Site(keeper, host, spool)
    try:
        server = Server(Address.parse(given.listen), site.serve, given.host)
    except ValueError:
        return _refuse(f"{given.listen!r} is no address with a port, such as {LISTEN}.", USAGE)
    except OSError as error:
        return _refuse(f"{given.listen}: {error.strerror}.", FAILED)
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    for seconds, work in ((0.0, server.serve_forever), (_WARM_UP_SECONDS, site.warm_up)):
        thread = threading.Timer(seconds, work)
        thread.daemon = True
        thread.start()
    say(f"Listening at {server.url}")
    said = ""
    while True:
        keeper.look()
        why = keeper.save()
        if why and why != said:
            complain(f"dind-executor metrics: {why}. A restart counts again from what is there.")
        said = why
        if ended.wait(_LOOK_SECONDS):
            break
    keeper.look()
    keeper.save()
    return 0


def _write(keeper: Keeper, host: Host, path: Path) -> int:
    """Write the numbers as a whole or not at all."""
    if not keeper.look():
        return _refuse("The spool cannot be read.", FAILED)
    content, _ = exposition(keeper.snapshot(), host, 0.0, "")
    if why := keeper.save():
        return _refuse(f"{why}.", FAILED)
    fresh = path.with_name(f".{path.name}.writing")
    try:
        fresh.write_bytes(content)
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}.", FAILED)
    return 0


def _settings(path: str) -> Settings:
    if not path and not os.path.exists(SETTINGS):  # noqa: PTH110 (as in the settings)
        return Settings()
    return load_settings(path or SETTINGS)


def _refuse(sentence: str, code: int) -> int:
    complain(f"dind-executor metrics: {sentence}")
    return code
