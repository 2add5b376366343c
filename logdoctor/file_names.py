"""Names of files as text that can be written anywhere."""

from __future__ import annotations


def as_text(path: str) -> str:
    """A path as valid Unicode: bytes that are no UTF-8, which Python holds as lone surrogates, are shown as `\\xff`."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return path
