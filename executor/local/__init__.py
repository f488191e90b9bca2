"""The embedded runner: `dind-executor local` runs a pipeline file's jobs through the hooks.

What a GitLab server would know, free of the runner:
  pipeline     the pipeline file as frozen data
  pipeline_file YAML → pipeline, every unknown keyword named (keywords: their values)
  rules        `rules: if:` expressions
  checkout     what git says about the user's checkout
  variables    variables, their expansion, and the predefined CI_* list
  request      one job, ready to be handed out
  payload      the same in the shape that GitLab gives it
What gitlab-runner would do with it:
  registration the `[runners.custom]` section, or hooks and settings named by hand
  environment  runner-made variables and the CUSTOM_ENV_* environment
  script       the scripts of the sub-stages (git_script: get_sources, artifact_script: artifacts)
  cancellation who stops what
  stage        one call of one hook as a process
  job          one job's life
  output       the job log: masking, prefixes, colour
What stands for the server, and the command:
  server       git over smart HTTP and the artifact endpoints (git_backend, artifact_store)
  schedule     stages in order, jobs of a stage in parallel
  report       the closing table
  command      `dind-executor local`

Nothing outside this package imports it but the command line: it loads YAML and docker.
"""
