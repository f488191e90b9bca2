"""The embedded runner: `dind-executor local` runs a pipeline file's jobs through the hooks.

What a GitLab server would know, free of the runner:
  pipeline       the pipeline as frozen data, and which of its jobs run
  pipeline_file  YAML → pipeline, every unknown keyword named (keywords: their values)
  rules          `rules: if:` expressions
  checkout       what git says about the user's checkout, and a snapshot of it
  variables      variables and their expansion (predefined: the CI_* list)
  request        one job, ready to be handed out (payload: in the shape that GitLab gives it)
What gitlab-runner would do with it:
  registration   the `[runners.custom]` section, or hooks and settings named by hand
  environment    runner-made variables and the CUSTOM_ENV_* environment
  script         the scripts of the sub-stages (git_script: sources, artifact_script: artifacts)
  cancellation   who stops what
  stage          one call of one hook as a process
  driver         the four hooks, called for one job (driver_config: what config answers)
  execution      the sub-stages in order
  job            one job's life (outcome: how it ends)
  output         the job log: masking, prefixes, colour
What stands for the server, and the command:
  server         git over smart HTTP (git_backend) and the artifacts (artifact_store)
  listen         where the server listens
  schedule       stages in order, jobs of a stage in parallel
  report         the closing table
  given          what the command line gives
  command        `dind-executor local`

Nothing outside this package imports it but the command line: it loads YAML and docker.
"""
