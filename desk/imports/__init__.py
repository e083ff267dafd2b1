"""How a list of people becomes entries: read, compared, applied, undone.

`reading` makes rows of the file, `planning` says what each would do, `applying` does it
and `undoing` takes it back; `steps` leads one import from one to the next.
"""
