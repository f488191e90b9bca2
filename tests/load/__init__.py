"""Loads and chances that take minutes: commands for a person, and what their tests share.

    graceful_stop  SIGQUIT to gitlab-runner and all processes below it, many times
    deployments    sweeps of runners that are deployed in every way, beside jobs that live
    side_by_side   what people bring, under the Docker executor and under dind-executor
    kill_at_requests  a stage dies at each of its requests to the engine
    account        what the signals came to
    starts         jobs that begin, and sweeps that look for dead ones all the time
    sidecar_deaths  sidecars that end before they listen, before they answer, and under a script
    soak           many jobs in a row, some of them killed, and what has grown meanwhile
    deadly_engine  an address before the engine where a stage dies at one of its requests
    fleet_kills    SIGKILL of fleet commands before each line that they run
    family         the processes below one, told by the kernel as they begin and end

`venv/bin/python -m tests.load.graceful_stop --times 200`, as root and with the rig up.
"""
