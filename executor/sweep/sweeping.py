"""A whole sweep: a look, and what follows from it; remembered for the next one and for who asks."""

import os
import time

from executor.engine.docker import Engine
from executor.errors import ExecutorError
from executor.runner import captures
from executor.sweep.look import Look, look
from executor.sweep.options import Options
from executor.sweep.state import held, recall, remember
from executor.sweep.verdict import Verdict

TYPE_CHECKING = False  # the name counts for checkers, and most sweeps have nothing to do
if TYPE_CHECKING:
    from executor.sweep.act import Outcome


def sweep(engine: Engine, options: Options) -> "Outcome | None":
    """Sweep, unless another sweep of this engine is at it; return what was done, if anything was.

    Raises nothing of the engine's: a sweep that fails is noted, and the next one begins anew.
    """
    started = time.monotonic()
    with held(options) as is_ours:
        if not is_ours:
            return None
        memory = recall(options)
        try:
            seen = look(engine, options, memory)
        except ExecutorError as error:
            options.log.event("sweep failed", error=str(error))
            remember(options, memory, result_of(options, started, error=str(error)))
            return None
        if seen.has_stray_logs:
            remove_stray_logs(options)
        remove_old_captures(options)
        why = _late(seen)
        if not any(each.judgement.verdict is Verdict.REMOVE for each in seen.jobs):
            remember(options, seen.memory, result_of(options, started, seen))
            if why:
                options.log.event("sweep undecided", error=why)
            return None
        from executor.sweep.act import act  # noqa: PLC0415 (rarely needed)

        # prepare may end in the middle: what is known until then stays.
        remember(options, seen.memory, result_of(options, started, seen))
        outcome = act(engine, seen, options)
        remember(options, outcome.memory, result_of(options, started, seen, outcome))
        remove_stray_logs(options)
        return outcome


def result_of(
    options: Options,
    started: float,
    seen: Look | None = None,
    outcome: "Outcome | None" = None,
    error: str = "",
) -> dict[str, object]:
    """Return how a sweep went that began at `started` (of `time.monotonic`), for `state.remember`."""
    verdicts = [each.judgement.verdict for each in seen.jobs] if seen else []
    done = outcome.done if outcome else ()
    return {
        "seconds": round(time.monotonic() - started, 3),
        "by": options.by,
        "jobs": {each.value: verdicts.count(each) for each in Verdict},
        "removed": [each.facts() for each in done if not each.left],
        "left": [each.facts() for each in done if each.left],
        "error": error,
    }


def remove_stray_logs(options: Options) -> int:
    """Remove the job logs of gitlab-runners that died before config noted them; return how many."""
    from executor.sweep import logs  # noqa: PLC0415 (rarely needed)

    removed = logs.remove_stray_logs(options)
    if removed:
        options.log.event("job logs swept", files=removed)
    return removed


def remove_old_captures(options: Options) -> int:
    """Remove captured payloads that are too old, also where none are kept any more; return how many."""
    directory = f"{options.state_dir}/{captures.DIRECTORY}"
    if not options.state_dir or not os.path.isdir(directory):  # noqa: PTH112 (slow to import)
        return 0
    from executor.host.captures import expire  # noqa: PLC0415 (rarely needed)

    try:
        removed = expire(directory)
    except OSError as error:
        options.log.event("captured payloads not removed", reason=error.strerror or str(error))
        return 0
    if removed:
        options.log.event("captured payloads removed", files=removed)
    return removed


def _late(seen: Look) -> str:
    """Return which jobs stay undecided after their deadline, "" where none does."""
    late = [
        each.found.key
        for each in seen.jobs
        if each.evidence.past_deadline and each.judgement.verdict is Verdict.UNDECIDED
    ]
    return f"past their deadlines: {', '.join(late[:5])}" if late else ""
