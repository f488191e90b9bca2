"""What dind-executor costs, measured on the machine at hand. Nothing here passes or fails."""
