"""The last `run` call of a job, which also begins to take the job apart."""

from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.stages.run import run_sub_stage
from executor.stages.summary import show_summary


def run_last(
    engine: Engine,
    context: RunContext,
    env: RunnerEnv,
    sub_stage: str,
    script: bytes,
    log: AdministratorLog,
) -> int:
    """Run the script, print the job's summary, where one is wanted, and return the script's status.

    Of all that cleanup waits for, the network takes the longest, and it goes only once nothing is on it.
    So the containers begin to leave it while gitlab-runner is still on its way to cleanup.
    """
    names = context.names
    network = (notes.read(env.temp_dir, notes.NETWORK) or b"").decode() or names.network
    # No script of the author's comes any more.
    engine.begin_to_disconnect(names.build, network)
    code = run_sub_stage(engine, context, env, sub_stage, script, log)
    engine.begin_to_disconnect(names.helper, network)
    if notes.is_left(env.temp_dir, notes.COSTS):
        show_summary(engine, names, env.temp_dir, log)
    # Not before: the engine tells nothing of a container that it is taking off a network.
    engine.begin_to_disconnect(names.dind, network)
    return code
