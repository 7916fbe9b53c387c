# Copyright (c) gld_mm authors. All rights reserved.
"""Errors that a user can mend are shown as one line, under any tool."""
import sys
from types import TracebackType
from typing import Optional, Type

_LONGEST = 1000


class UserError(Exception):
    """What is wrong and what a user can do about it, in one line.

    Args:
        message (str): The line. White space is folded, and what is longer
            than 1,000 characters is cut off.
    """

    def __init__(self, message: str) -> None:
        line = ' '.join(message.split())
        if len(line) > _LONGEST:
            line = line[:_LONGEST] + ' ...'
        super().__init__(line)


def install_excepthook() -> None:
    """Print an uncaught :class:`UserError` without its traceback.

    The exit status is 1, as after any uncaught error. Every other error is
    left to the hook that was there before.
    """
    if getattr(sys.excepthook, 'shows_user_errors', False):
        return
    previous = sys.excepthook

    def hook(kind: Type[BaseException], error: BaseException,
             trace: Optional[TracebackType]) -> None:
        if isinstance(error, UserError):
            print(error, file=sys.stderr)
        else:
            previous(kind, error, trace)

    hook.shows_user_errors = True  # type: ignore[attr-defined]
    sys.excepthook = hook
