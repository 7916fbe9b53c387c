# Copyright (c) gld_mm authors. All rights reserved.
"""Reproduce tables 2 and 4 and figure 3, one experiment at a time.

    python tools/reproduce.py a/baseline a/kd a/gld --seeds 0 1 2
    python tools/reproduce.py 'b/*' --epochs 4 --jobs 2

An experiment is a setup and a method; `--list` shows all. Its teacher is
trained first. What is finished is not run again, what was interrupted goes on.
The work dir gets a folder for each run, with its result.json, and table.md and
curves.png.
"""
import argparse
import fnmatch
import shutil
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from mmengine.registry import init_default_scope
from rich.console import Console
from rich.markdown import Markdown

import gld_mm  # noqa: F401
from gld_mm.config import leaf_datasets
from gld_mm.datasets.checks.build import build_dataset
from gld_mm.errors import UserError
from reproduction import (Experiment, Run, draw_curves, execute,
                          markdown_table, paper_experiments, with_dependencies)

# In a wheel, too, tools and configs lie side by side.
ROOT = Path(__file__).resolve().parents[1]
# Three checkpoints of the largest network with momentum, and logs.
MEGABYTES_PER_RUN = 120


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'experiments', nargs='*', help='names, or patterns such as "a/*"')
    parser.add_argument('--list', action='store_true', help='list all')
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0],
        help='one run of each experiment for each seed; teachers have seed 0')
    parser.add_argument(
        '--epochs',
        type=_positive,
        help='shorten all runs but the teachers; the learning rate drops at '
        'the same fractions, and results are marked as shortened')
    parser.add_argument(
        '--teacher-epochs', type=_positive, help='shorten the teachers')
    parser.add_argument(
        '--data',
        help='a config whose dataloaders and preprocessor replace those of '
        'CIFAR-100, such as configs/_base_/datasets/'
        'cifar100_bs64_in_memory.py')
    parser.add_argument(
        '--jobs', type=_positive, default=1, help='how many runs at a time')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs', 'reproduce'),
        help='folder of the runs, the table and the curves')
    return parser.parse_args(args)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} is no positive number')
    return int(text)


def select(patterns: List[str],
           experiments: Dict[str, Experiment]) -> List[Experiment]:
    """Find experiments by name or pattern."""
    found: Dict[str, Experiment] = {}
    for pattern in patterns:
        names = fnmatch.filter(experiments, pattern)
        if not names:
            raise UserError(f'Unknown experiment "{pattern}". Known are: '
                            f'{", ".join(experiments)}')
        found.update({name: experiments[name] for name in names})
    return list(found.values())


def make_runs(selected: List[Experiment],
              args: argparse.Namespace) -> List[Run]:
    """Make a run for each seed; all seeds share a teacher, of seed 0."""
    experiments = paper_experiments()

    @lru_cache(None)
    def make(name: str, seed: int) -> Run:
        experiment = experiments[name]
        seed, epochs = (0, args.teacher_epochs) if experiment.is_teacher else (
            seed, args.epochs)
        data = args.data if '_cifar100' in experiment.config else None
        teacher = make(experiment.depends_on,
                       seed) if experiment.depends_on else None
        return Run(experiment, seed, args.work_dir, ROOT, epochs, data,
                   teacher)

    return with_dependencies([
        make(experiment.name, seed) for seed in args.seeds
        for experiment in selected
    ])


def check_space(folder: Path, runs: int) -> None:
    """Refuse to start what will not fit on the disk."""
    free = shutil.disk_usage(folder).free // 2**20
    if free < MEGABYTES_PER_RUN * runs:
        raise UserError(
            f'{folder} has {free} MB left, {runs} runs need '
            f'{MEGABYTES_PER_RUN * runs} MB: make space or choose another '
            '--work-dir; nothing was run or lost')


def download(runs: List[Run]) -> None:
    """Fetch missing data once, before several runs would at the same time."""
    init_default_scope('mmpretrain')
    built: List[dict] = []
    for run in runs:
        for split in ('train', 'val', 'test'):
            dataset = run.cfg[f'{split}_dataloader'].dataset
            if dataset not in built:
                for leaf in leaf_datasets(dataset):
                    build_dataset(leaf)
                built.append(dataset)


def reproduce(args: argparse.Namespace) -> List[str]:
    """Run, write the report and return what went wrong."""
    console = Console()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    runs = make_runs(select(args.experiments, paper_experiments()), args)
    new = [run for run in runs if not run.result.exists()]
    check_space(args.work_dir, sum(not run.has_begun for run in new))
    download(new)
    failures = execute(runs, ROOT / 'tools' / 'train.py', args.jobs, console)
    table = markdown_table(args.work_dir)
    (args.work_dir / 'table.md').write_text(table)
    draw_curves(args.work_dir, args.work_dir / 'curves.png')
    console.print(Markdown(table))
    console.print(f'Results, table and curves: {args.work_dir}')
    return failures


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    if parsed.list or not parsed.experiments:
        for experiment in paper_experiments().values():
            options = ' '.join(f'{k}={v}'
                               for k, v in experiment.options.items())
            print(
                f'{experiment.name:20} {experiment.config} {options}'.strip())
        return
    try:
        failures = reproduce(parsed)
    except KeyboardInterrupt:
        sys.exit('Interrupted; the same command goes on.')
    if failures:
        sys.exit('\n'.join(failures))


if __name__ == '__main__':
    main()
