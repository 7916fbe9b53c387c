# Copyright (c) gld_mm authors. All rights reserved.
"""GLD in minutes on a CPU, without a download: `make demo`.

Trains a teacher on two-digit numbers, then the same student alone, with KD and
with GLD, two seeds each, through tools/train.py and the configs of this
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

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
OUT = Path('work_dirs', 'demo')
SEEDS = (0, 1)
TEACHER = 'configs/teachers/r8_digits.py'
STUDENTS = {
    'Student alone': 'configs/baseline/r8x05_digits.py',
    'KD': 'configs/kd/r8_r8x05_digits.py',
    'GLD': 'configs/gld/r8_r8x05_digits.py',
}
console = Console()


def folder(config: str, seed: int) -> Path:
    """Where a run writes, relative to the root of the repository."""
    path = Path(config)
    return OUT / f'{path.parent.name}_{path.stem}_seed{seed}'


def train(config: str, seed: int, threads: int, *options: str) -> None:
    """Run tools/train.py unless it has run to its end before."""
    work_dir = ROOT / folder(config, seed)
    name = work_dir.name
    if (work_dir / 'done').exists():
        console.print(f'  {name}: finished before')
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    console.print(f'  {name}: training ...')
    start = time.time()
    with open(work_dir / 'train.log', 'a') as log:
        code = subprocess.run([
            sys.executable, 'tools/train.py', config, '--work-dir',
            str(folder(config, seed)), '--resume', '--cfg-options',
            f'randomness.seed={seed}', *options
        ],
                              cwd=ROOT,
                              env=dict(
                                  os.environ, OMP_NUM_THREADS=str(threads)),
                              stdout=log,
                              stderr=subprocess.STDOUT).returncode
    if code:
        sys.exit(f'{name} failed, see {work_dir / "train.log"}')
    (work_dir / 'done').touch()
    console.print(f'  {name}: top-1 {top1(config, seed)[-1]:.1f}% after '
                  f'{len(top1(config, seed))} epochs, '
                  f'{time.time() - start:.0f} s')


def top1(config: str, seed: int) -> List[float]:
    """Test accuracy after each epoch, in percent."""
    by_epoch: Dict[int, float] = {}
    for path in sorted((ROOT / folder(config, seed)).glob('*/vis_data/*.json')):
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
    subprocess.run(
        [*command, '--out', str(OUT / 'local_predictions.png')],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def main() -> None:
    start = time.time()
    cores = os.cpu_count() or 1
    console.print(f'Teacher, then {len(STUDENTS) * len(SEEDS)} students; about '
                  '5 minutes on 2 cores')
    train(TEACHER, 0, cores)
    ckpt = f'model.teacher_ckpt={checkpoint(TEACHER, 0)}'
    runs = [(config, seed, 1) +
            (() if config == STUDENTS['Student alone'] else (ckpt, ))
            for seed in SEEDS for config in reversed(STUDENTS.values())]
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda run: train(*run), runs))
    picture()
    console.print(table())
    console.print(f'Picture: {OUT / "local_predictions.png"}   Logs and '
                  f'checkpoints: {OUT}   Time: {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
