"""The administrator's file: every key with its check and its documentation."""
