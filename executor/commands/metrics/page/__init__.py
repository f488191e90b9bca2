"""One read-only page of this host, for those who would rather look: what runs, what was, what is left.

`history` remembers the last jobs, `rows` and `problems` decide what is said (pure), and `overview` and
`details` write it.  `markup` makes sure that no text becomes more than a text.
"""
