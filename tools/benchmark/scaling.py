# Copyright (c) gld_mm authors. All rights reserved.
"""Time a step of GLD against batch, grid and classes, with the relation term.

    python tools/benchmark/scaling.py --out docs/images/scaling.png

From setup (a) at batch 64, grid 2 and 100 classes one number at a time is
varied. Each round times the step with and without the relation term. The JSON
beside the plot has all rounds.
"""
import argparse
import json
import warnings
from functools import partial
from pathlib import Path
from statistics import median
from typing import Dict, List

import matplotlib
import torch
from mmengine.config import ConfigDict
from rich.console import Console
from rich.table import Table

from step_time import build, initialize, make_batch, step
from timing import median_ratio, milliseconds, side_by_side

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402

PAIR, SIZE = 'r110_r20_cifar100', 32
BASE = dict(batch=64, grid=2, classes=100)
VARIED = dict(
    batch=(16, 32, 64, 128, 256, 512),
    grid=(1, 2, 4, 7),
    classes=(10, 100, 1000))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--out', type=Path, help='PNG; JSON goes beside it')
    return parser.parse_args()


def measure(rounds: int, batch: int, grid: int,
            classes: int) -> Dict[str, List[float]]:
    """Time a step with and without the relation term."""
    steps = {}
    data = make_batch('mmpretrain', batch, SIZE)
    for name, beta in (('with', 500), ('without', 0)):
        config: ConfigDict = build(PAIR)['GLD']
        for network in (config.architecture, config.teacher):
            network.head.num_classes = classes
        config.distiller.update(grid=grid, beta=beta)
        model = initialize(config, torch.channels_last)
        steps[name] = partial(step, model, data)
    return side_by_side(steps, rounds)


def main() -> None:
    args = parse_args()
    warnings.simplefilter('ignore')
    table = Table('', 'logits', 'ms a step', 'without the relation, ms',
                  "the relation's share")
    results = []
    for name, values in VARIED.items():
        for value in values:
            setting = {**BASE, name: value}
            times = measure(args.rounds, **setting)
            share = 1 - median_ratio(times['without'], times['with'])
            results.append(dict(varied=name, share=share, **setting, **times))
            table.add_row(f'{name} {value}',
                          f'{setting["batch"] * (1 + setting["grid"]**2):,}',
                          milliseconds(times['with']),
                          milliseconds(times['without']), f'{share:.1%}')
    Console(width=100).print(table)
    if args.out:
        draw(results, args.out)
        args.out.with_suffix('.json').write_text(json.dumps(results, indent=1))


def draw(results: List[dict], path: Path) -> None:
    """Plot time of a step and the relation's part, a panel for each number."""
    figure, axes = plt.subplots(1, len(VARIED), figsize=(11, 3.5), sharey=True)
    for axis, (name, values) in zip(axes, VARIED.items()):
        rows = [row for row in results if row['varied'] == name]
        for kind, style in (('with', 'o-'), ('without', 's--')):
            axis.loglog(
                values, [1e3 * median(row[kind]) for row in rows],
                style,
                label=f'{kind} the relation term')
        axis.set_xticks(values, map(str, values))
        axis.minorticks_off()
        axis.set_xlabel(name)
    axes[0].set_ylabel('ms a step')
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


if __name__ == '__main__':
    main()
