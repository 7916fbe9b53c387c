# Copyright (c) gld_mm authors. All rights reserved.
"""GLD in minutes on a CPU, without a download: `make demo`.

Trains a teacher on two-digit numbers, then the same student alone, with KD and
with GLD, three seeds each, through tools/train.py and the configs of this
repository. Prints a table and draws what local logits say about images. What
is finished is not run again; what was interrupted goes on.
"""
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, List

from mmengine.config import Config
from rich.console import Console
from rich.progress import (BarColumn, MofNCompleteColumn, Progress, TaskID,
                           TimeElapsedColumn)
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
OUT = Path('work_dirs', 'demo')
SEEDS = (0, 1, 2)
TEACHER = 'configs/teachers/r14_digits.py'
STUDENTS = {
    'Student alone': 'configs/baseline/r8_digits.py',
    'KD': 'configs/kd/r14_r8_digits.py',
    'GLD': 'configs/gld/r14_r8_digits.py',
}


def folder(config: str, seed: int) -> Path:
    """Where a run writes, relative to the root of the repository."""
    path = Path(config)
    return OUT / f'{path.parent.name}_{path.stem}_seed{seed}'


def train(config: str, seed: int, epochs: int, threads: int,
          progress: Progress, *options: str) -> None:
    """Run tools/train.py, with a bar, unless it has run to its end before."""
    work_dir = ROOT / folder(config, seed)
    work_dir.mkdir(parents=True, exist_ok=True)
    bar = progress.add_task(work_dir.name, total=epochs, top1='')
    with open(work_dir / 'train.log', 'a') as log:
        finished = len(top1(config, seed)) == epochs
        process = None if finished else subprocess.Popen(
            [
                sys.executable, 'tools/train.py', config, '--work-dir',
                str(folder(config, seed)), '--resume', '--cfg-options',
                f'randomness.seed={seed}', *options
            ],
            cwd=ROOT,
            env=dict(os.environ, OMP_NUM_THREADS=str(threads)),
            stdout=log,
            stderr=subprocess.STDOUT)
        while process and process.poll() is None:
            show(progress, bar, top1(config, seed))
            time.sleep(1)
    if process and process.returncode:
        sys.exit(f'{work_dir.name} failed, see {work_dir / "train.log"}')
    show(progress, bar, top1(config, seed))
    if not progress.console.is_terminal:
        progress.console.print(f'  {work_dir.name}: {epochs} epochs, top-1 '
                               f'{top1(config, seed)[-1]:.1f}%')


def show(progress: Progress, bar: TaskID, curve: List[float]) -> None:
    """Move a bar to the last validated epoch."""
    text = f'top-1 {curve[-1]:.1f}%' if curve else ''
    progress.update(bar, completed=len(curve), top1=text)


def top1(config: str, seed: int) -> List[float]:
    """Test accuracy after each epoch, in percent."""
    by_epoch: Dict[int, float] = {}
    for path in sorted(
        (ROOT / folder(config, seed)).glob('*/vis_data/*.json')):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if 'accuracy/top1' in record:
                by_epoch[record['step']] = record['accuracy/top1']
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def checkpoint(config: str, seed: int) -> str:
    """The last checkpoint of a run."""
    return (ROOT / folder(config, seed) / 'last_checkpoint').read_text()


def spread(values: List[float]) -> str:
    return f'{mean(values):.1f} +- {stdev(values):.1f}'


def table() -> Table:
    """Accuracy of the teacher and of each way to train the student."""
    result = Table(title=f'Two-digit numbers, top-1 (%), {len(SEEDS)} seeds')
    for column in ('', 'last epoch', 'best epoch'):
        result.add_column(column, justify='right' if column else 'left')
    curve = top1(TEACHER, 0)
    result.add_row('Teacher (1 seed)', f'{curve[-1]:.1f}', f'{max(curve):.1f}')
    for name, config in STUDENTS.items():
        curves = [top1(config, seed) for seed in SEEDS]
        result.add_row(name, spread([c[-1] for c in curves]),
                       spread([max(c) for c in curves]))
    return result


def picture() -> None:
    """Teacher, student alone and GLD about the same images."""
    networks = {
        'Teacher': TEACHER,
        'Student alone': STUDENTS['Student alone'],
        'GLD': STUDENTS['GLD']
    }
    command = [sys.executable, 'tools/analysis/local_predictions.py']
    for name, config in networks.items():
        command += ['--network', name, config, checkpoint(config, 0)]
    command += '--index 10 23 42 61 87'.split()
    result = subprocess.run(
        [*command, '--out',
         str(OUT / 'local_predictions.png')],
        cwd=ROOT,
        capture_output=True,
        text=True)
    if result.returncode:
        sys.exit(f'The picture could not be drawn:\n{result.stderr}')


def main() -> None:
    start = time.time()
    epochs = {
        config: Config.fromfile(ROOT / config).train_cfg.max_epochs
        for config in (TEACHER, *STUDENTS.values())
    }
    cores = os.cpu_count() or 1
    console = Console()
    console.print(f'A teacher, then {len(STUDENTS) * len(SEEDS)} students of '
                  'it: about 5 minutes on 2 cores.')
    columns = ('{task.description}', BarColumn(), MofNCompleteColumn(),
               'epochs', TimeElapsedColumn(), '{task.fields[top1]}')
    with Progress(*columns, console=console) as progress:
        train(TEACHER, 0, epochs[TEACHER], cores, progress)
        ckpt = f'model.teacher_ckpt={checkpoint(TEACHER, 0)}'
        with ThreadPoolExecutor(cores) as pool:
            runs = [
                pool.submit(train, config, seed, epochs[config], 1, progress,
                            *(() if 'baseline' in config else (ckpt, )))
                for seed in SEEDS for config in reversed(STUDENTS.values())
            ]
        for run in runs:
            run.result()
    picture()
    console.print(table())
    console.print(f'Picture: {OUT / "local_predictions.png"}\nLogs and '
                  f'checkpoints: {OUT}\nTime: {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
