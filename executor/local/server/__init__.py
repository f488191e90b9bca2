"""What a job asks GitLab for: sources, artifacts and caches over HTTP."""
