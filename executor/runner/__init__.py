"""What gitlab-runner hands to a call, and what one call leaves for the next."""
