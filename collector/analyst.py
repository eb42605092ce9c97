"""What people may ask of the store in their own SQL."""


class NotAllowed(Exception):  # noqa: N818  the answer itself
    """The statement is not one SELECT over our own tables; the text says what is in the way."""


def check(sql: str) -> str:
    """The statement, checked, to be run as it is returned. Raises `NotAllowed`."""
    raise NotImplementedError
