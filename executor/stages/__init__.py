"""The four stages of the custom executor: each reads, decides and acts, in this order."""
