"""The one kind of failure that a user sees as a line instead of a traceback."""


class UserError(Exception):
    """Something the user can fix. Its text is one line: what is wrong and what to do."""
