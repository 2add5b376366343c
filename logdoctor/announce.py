"""Who is told what is being worked on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is being worked on; where a file was read, also with its size in bytes."""

    def __call__(self, step: str, size: int | None = None, /) -> None: ...


def silent(step: str, size: int | None = None, /) -> None:
    """Nobody is told."""
