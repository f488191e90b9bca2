"""gitlab-runner's part: it calls the hooks for a job and writes the job's log."""
