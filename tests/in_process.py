# Copyright (c) gld_mm authors. All rights reserved.
"""Run a tool in this process, as its user does in one of his own."""
import contextlib
import io
import logging
import os
import runpy
import sys
from pathlib import Path

from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

ROOT = Path(__file__).parents[1]


def fresh_globals():
    """Leave no logger, hub or scope of one run to the next."""
    for manager in (MMLogger, MessageHub, DefaultScope, Visualizer):
        manager._instance_dict.clear()


def run_tool(tool, *args):
    """Run a script and return what it prints; errors are raised.

    Args:
        tool (str | Path): A script, relative to the root of the repository.
        args: Its arguments.
    """
    fresh_globals()
    output = io.StringIO()
    argv, path, folder = sys.argv, list(sys.path), os.getcwd()
    sys.argv = [str(ROOT / tool), *map(str, args)]
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(
                output):
            os.chdir(ROOT)
            runpy.run_path(sys.argv[0], run_name='__main__')
    except SystemExit as stop:
        if stop.code not in (0, None):
            raise
    finally:
        sys.argv, sys.path[:] = argv, path
        os.chdir(folder)
        logging.shutdown()
        fresh_globals()
    return output.getvalue()
