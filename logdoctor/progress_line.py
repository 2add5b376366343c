"""What is being worked on, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click


class ProgressLine:
    """A line on stderr that says what is being worked on, on a terminal and only for work longer than a second."""

    def __init__(self, quiet: bool) -> None:
        self.shown = not quiet and sys.stderr.isatty()
        self.began = self.last = time.monotonic()
        self.done = 0

    def __enter__(self) -> Callable[[str], None]:
        return self.step

    def __exit__(self, *error: object) -> None:
        if self.shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def step(self, name: str) -> None:
        self.done += 1
        now = time.monotonic()
        if self.shown and now - self.began > 1 and now - self.last > 0.1:
            self.last = now
            printable = "".join(c if c.isprintable() else "?" for c in name)[-60:]
            click.echo(f"\r\x1b[K{self.done} {printable}", nl=False, err=True)
