"""From the Docker executor's config.toml to ours."""
