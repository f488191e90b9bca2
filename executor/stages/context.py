"""What config made known to the later stages, and the engine that it names."""

from executor.engine.docker import Engine
from executor.quick_json import loads
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv


def run_context(env: RunnerEnv, args: list[str]) -> RunContext:
    """Return the context that config made.

    It is made anew where config_exec is not registered, or where an upgrade came in between.
    """
    if env.run_context:
        try:
            return RunContext(loads(env.run_context))
        except (ValueError, KeyError, TypeError):
            pass
    from executor.reading import read_basics  # noqa: PLC0415 (slow, and not needed as a rule)

    return read_basics(env, args).context


def engine_of(context: RunContext) -> Engine:
    """Return the engine that the job runs on."""
    return Engine.at(context.host, context.tls_dir, tls_verify=context.tls_verify)
