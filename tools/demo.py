# Copyright (c) gld_mm authors. All rights reserved.
"""GLD in minutes on a CPU, without a download: `make demo`.

Trains a teacher on noisy digits, then the same student alone, with KD and
with GLD, three seeds each, with tools/train.py and the configs of this
repository. Prints a table and draws what the networks predict for each quarter
of an image. What is finished is not run again; what was interrupted goes on.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from rich.console import Console
from rich.table import Table

import gld_mm  # noqa: F401
from reproduction import Experiment, Run, distilled, execute, mean_and_std

# In a wheel, too, tools and configs lie side by side.
ROOT = Path(__file__).resolve().parents[1]
OUT = Path('work_dirs', 'demo')
SEEDS = (0, 1, 2)
taught = partial(distilled, depends_on='digits/teacher')
TEACHER = Experiment('digits/teacher', 'configs/baseline/r14_digits.py')
STUDENTS = {
    'Student alone': Experiment('digits/baseline',
                                'configs/baseline/r8_digits.py'),
    'KD': taught('digits/kd', 'configs/kd/kd_r14_r8_digits.py'),
    'GLD': taught('digits/gld', 'configs/gld/r14_r8_digits.py'),
}


def make_runs() -> Dict[str, List[Run]]:
    """The runs of the teacher and of each way to train the student."""
    teacher = Run(TEACHER, 0, OUT, ROOT)
    runs = {'Teacher': [teacher]}
    for name, student in STUDENTS.items():
        depends_on = teacher if student.depends_on else None
        runs[name] = [
            Run(student, seed, OUT, ROOT, depends_on=depends_on)
            for seed in SEEDS
        ]
    return runs


def make_table(runs: Dict[str, List[Run]]) -> Table:
    """Accuracy of the teacher and of each way to train the student."""
    table = Table(title='Noisy digits, top-1 (%)')
    for column in ('', 'seeds', 'last epoch', 'best epoch'):
        table.add_column(column, justify='right' if column else 'left')
    for name, group in runs.items():
        found = [json.loads(run.result.read_text()) for run in group]
        table.add_row(
            name, str(len(found)),
            *(mean_and_std([r[epoch]['top1'] for r in found], digits=1)
              for epoch in ('last', 'best')))
    return table


def draw(runs: Dict[str, List[Run]]) -> Path:
    """Draw the predictions of teacher, student alone and GLD."""
    path = OUT / 'local_predictions.png'
    tool = ROOT / 'tools' / 'analysis' / 'local_predictions.py'
    command = [sys.executable, tool, '--out', path, '--index']
    command += '10 23 42 61 87'.split()
    for name in ('Teacher', 'Student alone', 'GLD'):
        run = runs[name][0]
        command += [
            '--network', name, ROOT / run.experiment.config, run.checkpoint
        ]
    subprocess.run([str(word) for word in command],
                   check=True,
                   stdout=subprocess.DEVNULL)
    return path


def main(args: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(args)
    start = time.time()
    console = Console()
    console.print(f'A teacher and {len(STUDENTS) * len(SEEDS)} students: '
                  'about 4 minutes on 2 cores.')
    OUT.mkdir(parents=True, exist_ok=True)
    runs = make_runs()
    try:
        failures = execute(
            sum(runs.values(), []), ROOT / 'tools' / 'train.py',
            os.cpu_count() or 1, console)
    except KeyboardInterrupt:
        sys.exit('Interrupted; the same command goes on.')
    if failures:
        sys.exit('\n'.join(failures))
    path = draw(runs)
    console.print(make_table(runs))
    console.print(f'Picture: {path}\nLogs and checkpoints: {OUT}\n'
                  f'Time: {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
