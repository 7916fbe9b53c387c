# Copyright (c) gld_mm authors. All rights reserved.
import os
import sys
import traceback
from contextlib import contextmanager
from typing import Callable, Iterator, Optional
from urllib.error import HTTPError, URLError

from torch import hub

from .user_error import UserError

_LONGEST = 1000


@contextmanager
def one_line_errors(
        what: str,
        work_dir: Optional[str] = None,
        until: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """End a tool with one line where its user can put something right.

    Args:
        what (str): What could not be done, for errors of other libraries.
        work_dir (str, optional): Folder whose ``error.log`` gets the traceback
            of those. Defaults to None, it is not written.
        until (Callable): Whether errors of other libraries are no longer the
            user's and keep their traceback on the screen. Defaults to never.

    Raises:
        SystemExit: With the line.
    """
    try:
        yield
    except UserError as error:
        sys.exit(_shorten(str(error)))
    except Exception as error:
        if until():
            raise
        line = f'{what}: {_describe(error)}'
        if work_dir is not None:
            os.makedirs(work_dir, exist_ok=True)
            path = os.path.join(work_dir, 'error.log')
            with open(path, 'w', encoding='utf-8') as log:
                traceback.print_exc(file=log)
            line = f'{_shorten(line)} (traceback: {path})'
        sys.exit(_shorten(line))


def _describe(error: Exception) -> str:
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        return (f'a download failed ({error.reason}). Put a dataset where its '
                'data_root says (docs/data.md; a file of another checksum is '
                'downloaded again), weights into '
                f'{os.path.join(hub.get_dir(), "checkpoints")}')
    return f'{type(error).__name__}: {error}'


def _shorten(text: str) -> str:
    line = ' '.join(text.split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + ' ...'
