# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what runs logged: losses, their terms, learning rate, accuracy.

One panel a key, one line a run; dashed what its teacher reached. What was
resumed is one line; what an interrupted run logged twice counts once.

Example:
    python tools/analysis/learning_curves.py \\
        --run alone work_dirs/baseline/r20_cifar100 \\
        --run GLD work_dirs/gld/r110_r20_cifar100 --keys loss accuracy/top1
"""
import argparse
from pathlib import Path
from typing import Dict, List

import matplotlib

from gld_mm.analysis import save_figure
from gld_mm.utils import UserError, one_line_errors, read_scalars

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

COLUMNS = 3
Curve = Dict[int, float]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--run',
        nargs=2,
        action='append',
        required=True,
        metavar=('NAME', 'WORK_DIR'),
        help='a line; repeat for more')
    parser.add_argument(
        '--keys',
        nargs='+',
        help='names in the log; by default all losses and what validation '
        'measures')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs', 'figures', 'learning_curves.png'))
    return parser.parse_args()


def read(work_dir: str) -> Dict[str, Curve]:
    """Read the scalars of a run.

    Args:
        work_dir (str): Its folder, which has a folder for each start.

    Returns:
        dict[str, dict[int, float]]: Of each key its value by step: the
        iteration in training, the epoch in validation.

    Raises:
        UserError: If nothing was logged there.
    """
    logs = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    curves: Dict[str, Curve] = {}
    for log in logs:  # a later start overwrites what it did again
        for scalars in read_scalars(log):
            for key, value in scalars.items():
                if isinstance(value, (int, float)):
                    curves.setdefault(key, {})[scalars['step']] = value
    if not curves:
        raise UserError(f'{work_dir} has no log: give the work dir of a run '
                        'of tools/train.py.')
    return curves


def default_keys(runs: Dict[str, Dict[str, Curve]]) -> List[str]:
    """All losses, then what validation measures."""
    keys = list(dict.fromkeys(key for run in runs.values() for key in run))
    losses = [key for key in keys if 'loss' in key]
    return losses + [
        key for key in keys if not key.startswith('teacher/')
        and key.split('/')[-1] in ('top1', 'mAP', 'mIoU', 'bbox_mAP')
    ]


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        runs = {name: read(work_dir) for name, work_dir in args.run}
        keys = args.keys or default_keys(runs)
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
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, args.out)


def _is_validation(key: str, runs: Dict[str, Dict[str, Curve]]) -> bool:
    """Whether a key is logged once an epoch, that is not with the losses."""
    return all(
        set(run[key]) != set(run.get('loss', ())) for run in runs.values()
        if key in run)


if __name__ == '__main__':
    main()
