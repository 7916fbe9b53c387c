# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what runs logged: losses, their terms, learning rate, accuracy.

Each key of the log is a panel, each run a line, also if it was resumed. A
dashed line is the accuracy of the teacher.

Example:
    python tools/analysis/learning_curves.py \\
        --run alone work_dirs/r20_cifar100 \\
        --run GLD work_dirs/r110_r20_cifar100 --keys loss accuracy/top1

The log of a run of the model zoo may stand for its work dir.
"""
import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from matplotlib import pyplot as plt

from common import NamedAction, figure_parser, figure_path, save_figure
from gld_mm.errors import UserError

sys.path.append(str(Path(__file__).parents[1]))
from reproduction import read_curves  # noqa: E402

COLUMNS = 3
Curve = Dict[int, float]


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        '--run',
        nargs=2,
        action=NamedAction,
        required=True,
        metavar=('NAME', 'WORK_DIR'),
        help='a line; repeat for more')
    parser.add_argument(
        '--keys',
        nargs='+',
        help='names in the log; by default all losses and what validation '
        'measures')
    return parser.parse_args(args)


def read(work_dir: str) -> Dict[str, Curve]:
    """Read the scalars of a run; it is an error if there are none."""
    curves = read_curves(Path(work_dir))
    if not curves:
        raise UserError(f'{work_dir} has no log: give the work dir of a run '
                        'of tools/train.py, or its scalars.json.')
    return curves


def default_keys(runs: Dict[str, Dict[str, Curve]]) -> List[str]:
    """All losses, then what validation measures."""
    keys = list(dict.fromkeys(key for run in runs.values() for key in run))
    losses = [key for key in keys if 'loss' in key]
    return losses + [
        key for key in keys if not key.startswith('teacher/')
        and key.split('/')[-1] in ('top1', 'mAP', 'mIoU', 'bbox_mAP')
    ]


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    runs = {name: read(work_dir) for name, work_dir in parsed.run}
    keys = parsed.keys or default_keys(runs)
    for key in keys:
        if not any(key in run for run in runs.values()):
            known = sorted({key for run in runs.values() for key in run})
            raise UserError(f'No run logged "{key}". Known are: '
                            f'{", ".join(known)}.')
    rows = -(-len(keys) // COLUMNS)
    columns = min(len(keys), COLUMNS)
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(4.2 * columns, 3 * rows))
    for axis in axes.flat[len(keys):]:
        axis.axis('off')
    for axis, key in zip(axes.flat, keys):
        for number, (name, run) in enumerate(runs.items()):
            if key in run:
                steps = sorted(run[key])
                axis.plot(
                    steps, [run[key][step] for step in steps],
                    color=f'C{number}',
                    marker='.' if len(steps) < 30 else None,
                    label=name)
            for value in run.get(f'teacher/{key}', {}).values():
                axis.axhline(value, color=f'C{number}', ls='--')
        axis.set(
            title=key,
            xlabel='epoch' if _is_validation(key, runs) else 'iteration')
        axis.grid(alpha=.3)
    axes[0, 0].legend()
    save_figure(figure, figure_path(parsed, 'learning_curves'))


def _is_validation(key: str, runs: Dict[str, Dict[str, Curve]]) -> bool:
    """Whether a key is logged once an epoch, that is not with the losses."""
    return all(not set(run[key]) <= set(run.get('loss', ()))
               for run in runs.values() if key in run)


if __name__ == '__main__':
    main()
