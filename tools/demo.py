# Copyright (c) gld_mm authors. All rights reserved.
"""GLD in minutes on a CPU, without a download: `make demo`.

Trains a teacher on two-digit numbers, then the same student alone, with KD and
with GLD, three seeds each, through tools/train.py and the configs of this
repository. Prints a table and draws what local logits say about images. What
is finished is not run again; what was interrupted goes on.
"""
import argparse
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import List

from rich.console import Console
from rich.table import Table

import gld_mm
from gld_mm.experiments import Cell, Results, Run, RunFailed, Scheduler, spread

ROOT = Path(gld_mm.__file__).parents[1]
OUT = Path('work_dirs', 'demo')
SEEDS = (0, 1, 2)
taught = partial(Cell, needs='digits/teacher', key='model.teacher_ckpt')
TEACHER = Cell('digits/teacher', 'configs/teachers/r14_digits.py')
STUDENTS = {
    'Student alone': Cell('digits/baseline', 'configs/baseline/r8_digits.py'),
    'KD': taught('digits/kd', 'configs/kd/r14_r8_digits.py'),
    'GLD': taught('digits/gld', 'configs/gld/r14_r8_digits.py'),
}


def make_runs() -> List[Run]:
    """The teacher, then each student with each seed."""
    teacher = Run(TEACHER, 0, OUT, ROOT)
    return [teacher] + [
        Run(cell, seed, OUT, ROOT, needs=teacher if cell.needs else None)
        for seed in SEEDS for cell in STUDENTS.values()
    ]


def table(results: Results) -> Table:
    """Accuracy of the teacher and of each way to train the student."""
    table = Table(title=f'Two-digit numbers, top-1 (%), {len(SEEDS)} seeds')
    for column in ('', 'last epoch', 'best epoch'):
        table.add_column(column, justify='right' if column else 'left')
    for name, cell in {'Teacher (1 seed)': TEACHER, **STUDENTS}.items():
        records = results.of(cell.name)
        table.add_row(
            name,
            *(spread([r[which]['top1'] for r in records], digits=1)
              for which in ('last', 'best')))
    return table


def picture(runs: List[Run]) -> Path:
    """Teacher, student alone and GLD about the same images."""
    networks = {
        'Teacher': TEACHER,
        'Student alone': STUDENTS['Student alone'],
        'GLD': STUDENTS['GLD']
    }
    checkpoints = {run.cell: run.checkpoint for run in runs if run.seed == 0}
    command = [
        sys.executable,
        str(ROOT / 'tools' / 'analysis' / 'local_predictions.py')
    ]
    for name, cell in networks.items():
        command += [
            '--network', name,
            str(ROOT / cell.config),
            str(checkpoints[cell])
        ]
    path = OUT / 'local_predictions.png'
    command += '--index 10 23 42 61 87'.split() + ['--out', str(path)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f'The picture could not be drawn:\n{result.stderr}')
    return path


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    start = time.time()
    console = Console()
    console.print(f'A teacher and {len(STUDENTS) * len(SEEDS)} students: '
                  'about 5 minutes on 2 cores.')
    OUT.mkdir(parents=True, exist_ok=True)
    runs = make_runs()
    results = Results(OUT / 'results.jsonl')
    try:
        failures = Scheduler(results, ROOT / 'tools' / 'train.py',
                             os.cpu_count() or 1, console).execute(runs)
    except RunFailed as error:
        sys.exit(str(error))
    if failures:
        sys.exit('\n'.join(failures))
    path = picture(runs)
    console.print(table(results))
    console.print(f'Picture: {path}\nLogs and checkpoints: {OUT}\n'
                  f'Time: {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
