# Copyright (c) gld_mm authors. All rights reserved.
import fcntl
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Dict, Iterator, List, Optional

import mmengine
import mmpretrain
import mmrazor
import torch
from rich.console import Console
from rich.progress import (BarColumn, MofNCompleteColumn, Progress, TaskID,
                           TimeElapsedColumn)

from ..version import __version__
from .results import Results
from .run import Run


class RunFailed(Exception):
    """A run ended before its last epoch. The message is one line."""


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
        for run in runs:
            check_unchanged(run, self.results)
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
        with Progress(*columns, console=self.console) as progress, \
                ThreadPoolExecutor(self.jobs) as pool:
            self.progress = progress
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
                    try:
                        future.result()
                    except RunFailed as error:
                        failures[run.name] = str(error)
                        progress.console.print(f'  {error}')
        return list(failures.values())

    def _finish(self, run: Run) -> None:
        """Train, unless it is done, and write the result down."""
        bar = self.progress.add_task(run.name, total=run.epochs, top1='')
        weights = run.name not in self.needed or run.checkpoint.exists()
        if self.results.get(run.key) is None or not weights:
            run.work_dir.mkdir(parents=True, exist_ok=True)
            with open(run.work_dir / 'lock', 'w') as lock:
                for _ in _acquire(lock):  # a process left over from before
                    self._show(bar, run)
                if not run.is_finished:
                    self._train(run, bar, lock.fileno())
            self.results.add(self._record(run))
        self._show(bar, run)
        if not self.progress.console.is_terminal:
            self.progress.console.print(
                f'  {run.name}: {run.epochs} epochs, top-1 '
                f'{self.results.get(run.key)["last"]["top1"]:.2f}%')

    def _train(self, run: Run, bar: TaskID, lock: int) -> None:
        run.drop_unvalidated()
        config = run.work_dir / 'config.py'
        run.cfg.dump(config)
        (run.work_dir / 'fingerprint').write_text(run.fingerprint)
        device = self.devices.get()
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads))
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
        finally:
            self.devices.put(device)
        if process.returncode or not run.is_finished:
            raise RunFailed(f'{run.name} failed: {_last_line(log)} (the whole '
                            f'log: {log}; the same command goes on from the '
                            'last checkpoint)')

    def _show(self, bar: TaskID, run: Run) -> None:
        curve = run.curve()
        text = f'top-1 {curve[-1]:.1f}%' if curve else ''
        self.progress.update(bar, completed=len(curve), top1=text)

    def _record(self, run: Run) -> dict:
        top1 = run.curve()
        top5 = run.curve('accuracy/top5')
        best = max(range(len(top1)), key=top1.__getitem__)
        gpu = torch.cuda.is_available()

        def metrics(epoch: int) -> dict:
            found = dict(top1=top1[epoch], epoch=epoch % len(top1) + 1)
            return dict(found, top5=top5[epoch]) if top5 else found

        return dict(
            cell=run.cell.name,
            config=run.cell.config,
            seed=run.seed,
            epochs=run.epochs,
            full_epochs=run.full_epochs,
            shortened=run.epochs != run.full_epochs,
            last=metrics(-1),
            best=metrics(best),
            needs=run.needs and run.needs.name,
            seconds=round(run.seconds()),
            device=torch.cuda.get_device_name()
            if gpu else f'CPU, {self.threads} threads',
            versions=dict(
                python=platform.python_version(),
                torch=torch.__version__,
                mmengine=mmengine.__version__,
                mmpretrain=mmpretrain.__version__,
                mmrazor=mmrazor.__version__,
                gld_mm=__version__),
            weights=run.weight_hash(),
            fingerprint=run.fingerprint,
            curve=top1)


def with_needs(runs: List[Run]) -> List[Run]:
    """Put what a run needs before it, and each once."""
    ordered: Dict[str, Run] = {}

    def visit(run: Run) -> None:
        if run.needs is not None:
            visit(run.needs)
        ordered.setdefault(run.name, run)

    for run in runs:
        visit(run)
    return list(ordered.values())


def check_unchanged(run: Run, results: Results) -> None:
    """Refuse to mix two configs under one name.

    Args:
        run (Run): What is about to run, go on or be skipped.
        results (Results): What has run.

    Raises:
        RunFailed: If the result or the begun run had another config.
    """
    record = results.get(run.key)
    begun = run.work_dir / 'fingerprint'
    if record is not None:
        before, what = record['fingerprint'], f'its result in {results.path}'
    elif begun.exists():
        before, what = begun.read_text(), f'it began in {run.work_dir}'
    else:
        return
    if before != run.fingerprint:
        raise RunFailed(
            f'{run.cell.config} (or the data config) has changed since '
            f'{what}: {before} is now {run.fingerprint}. Restore it, or choose '
            'another --work-dir; nothing was run or lost')


def _visible_devices() -> List[Optional[str]]:
    """What CUDA_VISIBLE_DEVICES can name; [None] without a GPU."""
    count = torch.cuda.device_count()
    visible = os.environ.get('CUDA_VISIBLE_DEVICES')
    names = visible.split(',') if visible else map(str, range(count))
    return list(names)[:count] or [None]


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


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    return lines[-1].strip() if lines else 'it wrote nothing'
