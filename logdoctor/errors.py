"""Errors that end a command with a sentence and exit code 2 or 3 instead of a traceback."""


class LogDoctorError(Exception):
    """Something the user can put right; the message says what and how. `exit_code` is what the command ends with."""

    exit_code = 2


class NothingRecognisedError(LogDoctorError):
    """Files were there, none of them a training log."""

    exit_code = 3
