"""What the runner's host has for jobs: docker configuration, routes, profiles, archives."""
