"""A stand-in of GitLab, and a real gitlab-runner that works for it.

    server     GitLab: what tests hold in their hands; the HTTP server behind it
    api        the job API: what it answers to a runner's request
    jobs       one job as GitLab knows it: state, trace, artifacts
    trace      what a job log says, without colours, sections and timestamps
    git        the project's sources over smart HTTP
    pipelines  a pipeline file's jobs, stage by stage, through the stand-in
    toml       config.toml, written
    runner     gitlab-runner as a process, with a config.toml and a home of its own
    habits     what people bring from elsewhere: the inputs of tests/data/habits, and their ends
    habit_runs the same, run through the Docker executor and through ours
    box        a host on which docs/container.md is followed: gitlab-runner in a container
    leftovers  what jobs have left on the engine

The payloads are made by `executor.local`, so that a pipeline file means the same here and there.
"""
