# Copyright (c) gld_mm authors. All rights reserved.
"""Reproduce the paper's classification tables, cell by cell.

    python tools/reproduce.py a/baseline a/kd a/gld --seeds 0 1 2
    python tools/reproduce.py 'b/*' --epochs 4 --jobs 2

A cell is a setup and a method; `--list` shows all. What a cell needs (its
teacher) is trained first. What is finished is not run again, what was
interrupted goes on. The work dir has results.jsonl, a line for each finished
run, table.md and curves.png.
"""
import argparse
import fnmatch
import shutil
import sys
import warnings
from pathlib import Path
from typing import Dict, List, Optional

from mmengine.registry import init_default_scope
from rich.console import Console
from rich.markdown import Markdown

import gld_mm
from gld_mm.experiments import (Cell, Results, Run, RunFailed, Scheduler,
                                draw_curves, paper_cells, table, with_needs)
from gld_mm.utils import UserError
from gld_mm.utils.data_check import build_dataset, dataset_cfgs

ROOT = Path(gld_mm.__file__).parents[1]
# Three checkpoints of the largest network with momentum, and logs.
MEGABYTES_A_RUN = 120


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'cells', nargs='*', help='names, or patterns such as "a/*"')
    parser.add_argument('--list', action='store_true', help='list the cells')
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0],
        help='a run of each cell for each; teachers have seed 0')
    parser.add_argument(
        '--epochs',
        type=_positive,
        help='shorten every run but the teachers; the learning rate is '
        'scaled along, and results are marked as shortened')
    parser.add_argument(
        '--teacher-epochs', type=_positive, help='shorten the teachers')
    parser.add_argument(
        '--data',
        help='a config whose dataloaders and preprocessor replace those of '
        'CIFAR-100 cells, such as configs/_base_/datasets/'
        'cifar100_bs64_in_memory.py')
    parser.add_argument(
        '--jobs', type=_positive, default=1, help='how many runs at a time')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs', 'reproduce'),
        help='folder of runs, results, table and curves')
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} is no positive number')
    return int(text)


def select(patterns: List[str], cells: Dict[str, Cell]) -> List[Cell]:
    """Find cells by name or pattern."""
    found: Dict[str, Cell] = {}
    for pattern in patterns:
        names = fnmatch.filter(cells, pattern)
        if not names:
            raise RunFailed(f'Unknown cell "{pattern}". Known are: '
                            f'{", ".join(cells)}')
        found.update({name: cells[name] for name in names})
    return list(found.values())


def make_runs(selected: List[Cell], cells: Dict[str, Cell],
              args: argparse.Namespace) -> List[Run]:
    """Cross cells with seeds; all seeds share a teacher, of seed 0."""
    made: Dict[tuple, Run] = {}

    def make(cell: Cell, seed: int) -> Run:
        if cell.is_teacher:
            seed = 0
        if (cell, seed) not in made:
            needs = make(cells[cell.needs], seed) if cell.needs else None
            on_cifar100 = needs is None or cell.key == 'model.teacher_ckpt'
            made[cell, seed] = Run(
                cell, seed, args.work_dir, ROOT,
                args.teacher_epochs if cell.is_teacher else args.epochs,
                args.data if on_cifar100 else None, needs)
        return made[cell, seed]

    return [make(cell, seed) for seed in args.seeds for cell in selected]


def check_space(folder: Path, runs: int) -> None:
    """Refuse to start what will not fit on the disk."""
    free = shutil.disk_usage(folder).free // 2**20
    if free < MEGABYTES_A_RUN * runs:
        raise RunFailed(
            f'{folder} has {free} MB left, {runs} runs need '
            f'{MEGABYTES_A_RUN * runs} MB: make space or choose another '
            '--work-dir; nothing was run or lost')


def download(runs: List[Run]) -> None:
    """Fetch missing data once, before several runs would at the same time."""
    init_default_scope('mmpretrain')
    built = []
    for run in runs:
        for dataset in dataset_cfgs(run.cfg).values():
            if dataset not in built:
                build_dataset(dataset.get('dataset', dataset))
                built.append(dataset)


def reproduce(args: argparse.Namespace, console: Console) -> Optional[str]:
    """Run, write the report and return what went wrong."""
    cells = paper_cells()
    if args.list or not args.cells:
        for cell in cells.values():
            console.print(
                f'{cell.name:20} {cell.config}',
                highlight=False,
                soft_wrap=True)
        return None
    args.work_dir.mkdir(parents=True, exist_ok=True)
    runs = with_needs(make_runs(select(args.cells, cells), cells, args))
    results = Results(args.work_dir / 'results.jsonl')
    new = [run for run in runs if results.get(run.key) is None]
    check_space(args.work_dir, sum(not run.has_begun for run in new))
    download(new)
    scheduler = Scheduler(results, ROOT / 'tools' / 'train.py', args.jobs,
                          console)
    failures = scheduler.execute(runs)
    text = table(cells.values(), results)
    (args.work_dir / 'table.md').write_text(text)
    draw_curves(cells.values(), results, args.work_dir / 'curves.png')
    console.print(Markdown(text))
    console.print(f'Results, table and curves: {args.work_dir}')
    return '\n'.join(failures) or None


def main() -> None:
    console = Console()
    warnings.showwarning = lambda message, *_: console.print(
        f'Warning: {message}', soft_wrap=True, markup=False)
    try:
        sys.exit(reproduce(parse_args(), console))
    except (RunFailed, UserError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit('Interrupted; the same command goes on.')


if __name__ == '__main__':
    main()
