"""What is being worked on, on a terminal."""

from __future__ import annotations

import sys
import time

import click

from logdoctor.announce import Progress


class ProgressLine:
    """A line on stderr that says what is being worked on, on a terminal and only for work longer than a second.

    While files are read, with how many a second and how many megabytes.
    """

    def __init__(self, quiet: bool) -> None:
        self.shown = not quiet and sys.stderr.isatty()
        self.began = self.last = time.monotonic()
        self.done = self.files = self.bytes = 0

    def __enter__(self) -> Progress:
        return self.step

    def __exit__(self, *error: object) -> None:
        if self.shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def step(self, name: str, size: int | None = None, /) -> None:
        if size is None:
            self.done += 1
        else:
            self.files, self.bytes = self.files + 1, self.bytes + size
        now = time.monotonic()
        if self.shown and now - self.began > 1 and now - self.last > 0.1:
            self.last = now
            printable = "".join(c if c.isprintable() else "?" for c in name)[-60:]
            rate = self._rate(now - self.began) if size is not None else f"{self.done:,}"
            click.echo(f"\r\x1b[K{rate} {printable}", nl=False, err=True)

    def _rate(self, seconds: float) -> str:
        files, megabytes = self.files / seconds, self.bytes / seconds / 1e6
        return f"{self.files:,} files, {files:,.0f} files/s, {megabytes:,.1f} MB/s"
