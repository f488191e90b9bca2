"""`dind-executor doctor`: looks at a runner host, and says what will make jobs fail and what to do about it.

`gather` looks, `facts` is what was seen, the modules named `about_*` judge it, `table` names all checks,
`work` makes them in time, `report` is what people and programs read, and `command` joins them.
"""
