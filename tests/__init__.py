"""The tests. A package, so that `tests.gitlab` never stands in for the library `gitlab`."""
