# Copyright (c) gld_mm authors. All rights reserved.
"""Run code in two processes that talk by gloo."""
import os
import socket
import subprocess
import sys
from pathlib import Path


def run_in_two_processes(code: str, folder: Path) -> None:
    """Run a script by torchrun; it gets the folder as its argument.

    Args:
        code (str): The script, which reads from and writes to the folder.
        folder (Path): An empty folder.
    """
    script = folder / 'code.py'
    script.write_text(code)
    run = subprocess.run([
        sys.executable, '-m', 'torch.distributed.run', '--standalone',
        '--nproc_per_node=2',
        str(script),
        str(folder)
    ],
                         cwd=Path(__file__).parents[1],
                         env=dict(os.environ, PYTHONPATH='.'),
                         capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stderr


def free_port() -> int:
    """A port that nothing listens to now."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]
