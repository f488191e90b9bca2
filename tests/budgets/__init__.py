"""What outlives jobs, within bounds."""
