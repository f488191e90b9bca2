"""The four calls of gitlab-runner: each reads, decides and acts."""
