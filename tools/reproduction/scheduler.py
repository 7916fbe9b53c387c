# Copyright (c) gld_mm authors. All rights reserved.
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Generator, List, Optional, TextIO, Tuple

import torch
from rich.console import Console
from rich.progress import Progress

from gld_mm.engine.checkpoint import is_whole
from gld_mm.errors import UserError

from .result import save_result
from .run import Run

_Training = Generator[Optional[str], None, None]
_POLL = 0.5  # seconds
_FULL = 40 * 2**20  # bytes; a checkpoint of the largest network has 35 MB


class RunFailed(Exception):
    """Why a run ended before its last epoch."""


def execute(runs: List[Run], train: Path, jobs: int,
            console: Console) -> List[str]:
    """Finish runs, and before them those that they depend on.

    A failed run stops only those that depend on it.

    Args:
        runs (list[Run]): What to run.
        train (Path): Path of ``tools/train.py``.
        jobs (int): How many runs at a time. They share the cores and are
            spread over the GPUs.
        console (Console): Where progress is shown.

    Returns:
        list[str]: One line for each run that failed.

    Raises:
        UserError: If a config has changed since it was run.
    """
    runs = with_dependencies(runs)
    for run in runs:
        run.check_unchanged()
    waiting = _unfinished(runs)
    todo = {run.name for run in waiting}
    running: Dict[int, Tuple[Run, _Training]] = {}
    failures: Dict[str, str] = {}
    with Progress(console=console) as progress:
        bars = {
            run.name:
            progress.add_task(
                run.name, total=run.epochs, completed=len(run.curve()))
            for run in runs
        }
        try:
            while todo:
                ready = (
                    run for run in list(waiting)
                    if not run.depends_on or run.depends_on.name not in todo)
                for slot, run in zip(set(range(jobs)) - set(running), ready):
                    waiting.remove(run)
                    running[slot] = run, _finish(run, train, jobs, slot,
                                                 failures)
                for slot, (run, training) in list(running.items()):
                    outcome = next(training)
                    progress.update(bars[run.name], completed=len(run.curve()))
                    if outcome:
                        del running[slot]
                        todo.remove(run.name)
                        progress.console.print(
                            outcome,
                            markup=False,  # a log may look like it
                            highlight=False,
                            soft_wrap=True)
                time.sleep(_POLL if running else 0)
        finally:  # Ctrl-C ends the trainings, too
            for _, training in running.values():
                training.close()
    return list(failures.values())


def _finish(run: Run, train: Path, jobs: int, slot: int,
            failures: Dict[str, str]) -> _Training:
    """Train and save the result; yield None till the end, then how it ended.

    The training inherits a lock: if it outlives its scheduler, the next one
    waits for it.
    """
    try:
        if run.depends_on is not None and run.depends_on.name in failures:
            raise RunFailed(f'it depends on {run.depends_on.name}')
        run.work_dir.mkdir(parents=True, exist_ok=True)
        with open(run.work_dir / 'lock', 'w') as lock:
            while not _acquire(lock):
                yield None
            run.check_unchanged()  # another call may have begun it meanwhile
            if not run.is_finished:
                yield from _train(run, train, _environment(jobs, slot), lock)
            save_result(run, jobs)
        yield f'{run.name}: {run.epochs} epochs, top-1 {run.curve()[-1]:.2f}%'
    except (OSError, RunFailed, UserError) as error:
        reason = ' '.join(str(error).split())
        failures[run.name] = f'{run.name} failed: {reason}'
        yield failures[run.name]


def _train(run: Run, train: Path, environment: Dict[str, str],
           lock: TextIO) -> _Training:
    """Go on from the newest whole checkpoint in another process."""
    run.drop_unvalidated_checkpoints()
    if not run.has_begun:
        (run.work_dir / 'fingerprint').write_text(run.fingerprint)
    config, log = run.work_dir / 'config.py', run.work_dir / 'train.log'
    run.cfg.dump(config)
    command = [sys.executable, train, config, '--work-dir', run.work_dir]
    with open(log, 'a') as output:
        process = subprocess.Popen([*map(str, command), '--resume'],
                                   env=environment,
                                   stdout=output,
                                   stderr=subprocess.STDOUT,
                                   pass_fds=[lock.fileno()])
    try:
        while process.poll() is None:
            yield None
    finally:
        process.terminate()  # no effect if it has ended
        process.wait()
    if process.returncode or not run.is_finished:
        raise RunFailed(f'{_reason(process.returncode, log)} (the log: {log}; '
                        'the same command goes on from the last whole '
                        'checkpoint)')


def with_dependencies(runs: List[Run]) -> List[Run]:
    """Put the runs that others depend on before them, each run once."""
    ordered: Dict[str, Run] = {}
    while runs:
        ordered = {run.name: run for run in [*runs, *ordered.values()]}
        runs = [run.depends_on for run in runs if run.depends_on]
    return list(ordered.values())


def _unfinished(runs: List[Run]) -> List[Run]:
    """Runs without a result, or whose weights are gone and needed by one."""
    found: List[Run] = []
    for run in reversed(runs):
        needed = any(other.depends_on and other.depends_on.name == run.name
                     for other in found)
        if not run.result.exists() or needed and not is_whole(run.checkpoint):
            found.insert(0, run)
    return found


def _environment(jobs: int, slot: int) -> Dict[str, str]:
    """Share of a run in the cores and the visible GPUs."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    environment = {'OMP_NUM_THREADS': str(threads), **os.environ}
    count = torch.cuda.device_count()
    if count:
        visible = environment.get('CUDA_VISIBLE_DEVICES')
        gpus = visible.split(',') if visible else list(map(str, range(count)))
        environment['CUDA_VISIBLE_DEVICES'] = gpus[slot % count]
    return environment


def _acquire(lock: TextIO) -> bool:
    """Take a lock unless another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reason(returncode: int, log: Path) -> str:
    """Why a run ended, as far as one can tell."""
    if shutil.disk_usage(log.parent).free < _FULL:
        return f'the disk of {log.parent} is full'
    if returncode < 0:
        return f'it was killed by signal {-returncode} (9 may be for memory)'
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    return lines[-1].strip() if lines else f'it ended with {returncode}'
