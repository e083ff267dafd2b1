"""django-guardian on the same data: run by the Python of an environment of its own."""
