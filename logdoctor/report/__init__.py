"""Renderers: what was judged, written for people and programs. None of them judges."""

from logdoctor.report.files import write_report

__all__ = ["write_report"]
