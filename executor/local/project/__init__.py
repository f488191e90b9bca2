"""What GitLab knows of the project: its checkout, variables, and the jobs it hands out."""
