"""The embedded runner: calls the hooks for the jobs of a pipeline file, without GitLab.

What a GitLab server would know, free of the runner:
  pipeline       the pipeline as frozen data
  pipeline_file  YAML → pipeline, every unknown keyword named (keywords, job_keywords: their
                 values; yaml_text: YAML and !reference; extends; links: needs that exist)
  rules          `rules: if:` expressions
  selection      which jobs run (order: which waits for which)
  durations      GitLab's and Go's
  checkout       what git says about the user's checkout, and a snapshot of it
  variables      variables and their expansion (predefined: the CI_* list)
  request        one job, ready to be handed out (payload: in the shape that GitLab gives it)
What gitlab-runner would do with it:
  registration   the `[runners.custom]` section, or hooks and settings named by hand
  environment    runner-made variables and the CUSTOM_ENV_* environment
  script         the scripts of the sub-stages (git_script: sources, artifact_script: artifacts,
                 cache_script: caches)
  cancellation   who stops what
  stage          one call of one hook as a process
  driver         the four hooks, called for one job (driver_config: what config answers)
  execution      the sub-stages in order (limits: tries and time limits)
  job            one job's life (outcome: how it ends, and whether that is worth another try)
  output         the job log: masking, prefixes, colour
What stands for the server, and the command:
  server         git over smart HTTP (git_backend), artifacts (artifact_store; form: uploads) and
                 caches (cache_store)
  listen         where the server listens
  places         the runner's concurrent places, shared by the commands on this machine
  schedule       every job as soon as those that it waits for have passed
  report         the closing table
  given          what the command line gives
  command        `dind-executor local`

Nothing outside this package imports it but the command line: it loads YAML and docker.
"""
