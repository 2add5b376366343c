"""Names of files as text that can be written anywhere."""

from __future__ import annotations

from logdoctor.masking import masked_name


def as_text(path: str) -> str:
    """A path as valid Unicode: bytes that are no UTF-8, which Python holds as lone surrogates, are shown as `\\xff`.

    What looks like a key or a token in it is masked.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        path = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return masked_name(path)
