# Copyright (c) gld_mm authors. All rights reserved.
import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import (FIRST_COMPLETED, Future, ThreadPoolExecutor,
                                wait)
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Dict, Iterator, List, Optional

import torch
from rich.console import Console
from rich.progress import (BarColumn, MofNCompleteColumn, Progress, TaskID,
                           TimeElapsedColumn)

from .plan import check_unchanged, with_needs
from .record import record_of
from .results import Results
from .run import Run, RunFailed

# Bytes that a checkpoint of the largest network has no room in.
_FULL = 60 * 2**20


class Scheduler:
    """Run trainings side by side, each at most once, what is needed first.

    A run is ``tools/train.py`` in a process of its own, which resumes from the
    newest whole checkpoint. A failed run does not stop the others. Runs that
    still go on after this process was killed are waited for.

    Args:
        results (Results): Where finished runs are written to.
        train (Path): Path of ``tools/train.py``.
        jobs (int): How many runs at a time. They share the cores and are
            spread over the GPUs. Defaults to 1.
        console (Console, optional): Where progress is shown.
            Defaults to None, the terminal.
    """

    def __init__(self,
                 results: Results,
                 train: Path,
                 jobs: int = 1,
                 console: Optional[Console] = None) -> None:
        self.results = results
        self.train = train
        self.jobs = jobs
        self.threads = max(1, (os.cpu_count() or 1) // jobs)
        self.console = console or Console()
        self.stopped = threading.Event()
        # A run takes a device from here and puts it back.
        self.devices: SimpleQueue = SimpleQueue()
        devices = _visible_devices()
        for job in range(jobs):
            self.devices.put(devices[job % len(devices)])

    def execute(self, runs: List[Run]) -> List[str]:
        """Finish the runs and what they need.

        Args:
            runs (list[Run]): What to run, in this order.

        Returns:
            list[str]: What went wrong, a line each.
        """
        runs = with_needs(runs)
        check_unchanged(runs, self.results)
        # Weights are only missed if something is still to be built on them.
        self.needed = {
            run.needs.name
            for run in runs if run.needs and not self.results.get(run.key)
        }
        columns = ('{task.description}', BarColumn(), MofNCompleteColumn(),
                   'epochs', TimeElapsedColumn(), '{task.fields[top1]}')
        failures: Dict[str, str] = {}
        waiting = list(runs)
        running: Dict[Future, Run] = {}
        with Progress(*columns, console=self.console) as self.progress, \
                ThreadPoolExecutor(self.jobs) as pool, self._stop_on_error():
            while waiting or running:
                for run in list(waiting):
                    need = run.needs and run.needs.name
                    if need in failures:
                        failures[run.name] = f'{run.name}: not run, as ' \
                                             f'{need} failed'
                        waiting.remove(run)
                    elif len(running) < self.jobs and need not in [
                            r.name for r in waiting + list(running.values())
                    ]:
                        running[pool.submit(self._finish, run)] = run
                        waiting.remove(run)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    run = running.pop(future)
                    error = future.exception()
                    if error is not None:
                        reason = ' '.join(str(error).split())
                        failures[run.name] = f'{run.name} failed: {reason}'
                        self._print(failures[run.name])
        return list(failures.values())

    def _finish(self, run: Run) -> None:
        """Train, unless it is done, and write the result down."""
        bar = self.progress.add_task(run.name, total=run.epochs, top1='')
        weights = run.name not in self.needed or run.has_weights
        if self.results.get(run.key) is None or not weights:
            run.work_dir.mkdir(parents=True, exist_ok=True)
            with open(run.work_dir / 'lock', 'w') as lock:
                for _ in _acquire(lock):  # a process left over from before
                    self._show(bar, run)
                    self._check_stopped()
                if not run.is_finished:
                    self._train(run, bar, lock.fileno())
            self.results.add(record_of(run, self.jobs))
        self._show(bar, run)
        record = self.results.get(run.key)
        if record and not self.console.is_terminal:
            top1 = record['last']['top1']
            self._print(f'{run.name}: {run.epochs} epochs, top-1 {top1:.2f}%')

    @contextmanager
    def _stop_on_error(self) -> Iterator[None]:
        """End the runs with the scheduler, at Ctrl-C above all."""
        try:
            yield
        except BaseException:
            self.stopped.set()
            raise

    def _check_stopped(self) -> None:
        if self.stopped.is_set():
            raise RunFailed('interrupted')

    def _print(self, text: str) -> None:
        # Text of logs may look like markup.
        self.console.print(
            f'  {text}', markup=False, highlight=False, soft_wrap=True)

    def _train(self, run: Run, bar: TaskID, lock: int) -> None:
        self._check_stopped()
        run.tidy()
        config = run.work_dir / 'config.py'
        run.cfg.dump(config)
        _write(run.work_dir / 'fingerprint', run.fingerprint)
        device = self.devices.get()
        environment = dict(
            dict(OMP_NUM_THREADS=str(self.threads)), **os.environ)
        if device is not None:
            environment['CUDA_VISIBLE_DEVICES'] = device
        log = run.work_dir / 'train.log'
        try:
            with open(log, 'a') as file:
                process = subprocess.Popen([
                    sys.executable,
                    str(self.train),
                    str(config), '--work-dir',
                    str(run.work_dir), '--resume'
                ],
                                           env=environment,
                                           stdout=file,
                                           stderr=subprocess.STDOUT,
                                           pass_fds=(lock, ))
            while _is_running(process):
                self._show(bar, run)
                if self.stopped.is_set():
                    process.terminate()
        finally:
            self.devices.put(device)
        if process.returncode or not run.is_finished:
            raise RunFailed(f'{_reason(process.returncode, log)} (the log: '
                            f'{log}; the same command goes on from the last '
                            'whole checkpoint)')

    def _show(self, bar: TaskID, run: Run) -> None:
        curve = run.curve()
        text = f'top-1 {curve[-1]:.1f}%' if curve else ''
        self.progress.update(bar, completed=len(curve), top1=text)


def _visible_devices() -> List[Optional[str]]:
    """What CUDA_VISIBLE_DEVICES can name; [None] without a GPU."""
    count = torch.cuda.device_count()
    visible = os.environ.get('CUDA_VISIBLE_DEVICES')
    names: List[Optional[str]] = list(
        visible.split(',') if visible else map(str, range(count)))
    return names[:count] or [None]


def _is_running(process: subprocess.Popen) -> bool:
    """Wait for a second, or for its end."""
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return True
    return False


def _acquire(lock) -> Iterator[None]:
    """Yield every second until no other process holds the lock."""
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield
            time.sleep(1)


def _write(path: Path, text: str) -> None:
    """Replace a small file as a whole."""
    temporary = path.with_suffix('.tmp')
    temporary.write_text(text)
    temporary.replace(path)


def _reason(returncode: int, log: Path) -> str:
    """Why a run ended, as far as one can tell."""
    if shutil.disk_usage(log.parent).free < _FULL:
        return f'the disk of {log.parent} is full'
    if returncode < 0:
        return f'it was killed by signal {-returncode} (9 may be for memory)'
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    return lines[-1].strip() if lines else f'it ended with {returncode}'
