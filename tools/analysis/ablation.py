# Copyright (c) gld_mm authors. All rights reserved.
"""Draw the accuracy with each term of GLD alone, in pairs and all together.

Figure 3 of GLD's supplementary material, from the results of
tools/reproduce.py: one panel a setup, the mean of the last epoch over seeds,
with the sample standard deviation where there are several.

Example:
    python tools/reproduce.py a/baseline a/gld 'a/*global*' 'a/*local*' \\
        'a/*relation*'
    python tools/analysis/ablation.py work_dirs/reproduce
"""
import argparse
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, List, Optional, Sequence, Tuple

from matplotlib import pyplot as plt

from common import figure_parser, figure_path, save_figure
from gld_mm.errors import UserError

sys.path.append(str(Path(__file__).parents[1]))
from reproduction import load_results  # noqa: E402

METHODS = {
    'baseline': 'none',
    'global': 'global',
    'local': 'local',
    'relation': 'relation',
    'global-local': 'global\nlocal',
    'global-relation': 'global\nrelation',
    'local-relation': 'local\nrelation',
    'gld': 'all',
}
# None, one, two and three terms
COLORS = ['0.6'] + ['tab:blue'] * 3 + ['tab:orange'] * 3 + ['tab:green']
# Setup, epochs, epochs of the teacher
Key = Tuple[str, int, Optional[int]]


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        'folder', type=Path, help='--work-dir of tools/reproduce.py')
    return parser.parse_args(args)


def panels(folder: Path) -> Dict[Key, Dict[str, List[float]]]:
    """Top-1 of the last epoch by setup and length, then by method.

    Args:
        folder (Path): Where the runs are.

    Returns:
        dict: For each setup, number of epochs and number of the teacher's
        epochs with an ablation, the values of all seeds of each method.
    """
    found: Dict[Key, Dict[str, List[float]]] = {}
    for results in load_results(folder):
        setup, method = results[0]['experiment'].split('/')
        if method in METHODS:
            key = setup, results[0]['epochs'], results[0]['teacher_epochs']
            found.setdefault(key, {})[method] = [
                result['last']['top1'] for result in results
            ]
    single = {'global', 'local', 'relation'}
    return {
        (setup, epochs, teacher): {
            **found.get((setup, epochs, None), {}),  # the student alone
            **panel
        }
        for (setup, epochs, teacher), panel in found.items()
        if single & set(panel)
    }


def draw(axis: plt.Axes, panel: Dict[str, List[float]], title: str) -> None:
    """A bar for each method that has run."""
    for place, (method, color) in enumerate(zip(METHODS, COLORS)):
        values = panel.get(method)
        if not values:
            continue
        error = stdev(values) if len(values) > 1 else 0
        axis.bar(
            place, mean(values), color=color, yerr=error or None, capsize=3)
        axis.annotate(
            f'{mean(values):.2f}', (place, mean(values) + error),
            xytext=(0, 2),
            textcoords='offset points',
            ha='center',
            fontsize=8)
    values = [mean(v) for v in panel.values()]
    margin = max(max(values) - min(values), 1)
    axis.set_ylim(max(0, min(values) - .3 * margin), max(values) + .2 * margin)
    axis.set_xticks(range(len(METHODS)), METHODS.values(), fontsize=8)
    axis.set(title=title, ylabel='top-1 (%), last epoch')


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    found = panels(parsed.folder)
    if not found:
        raise UserError(f'{parsed.folder} has no ablation: run python '
                        "tools/reproduce.py 'a/*' first.")
    figure, axes = plt.subplots(
        1, len(found), squeeze=False, figsize=(6.5 * len(found), 3.6))
    for axis, ((setup, epochs, teacher), panel) in zip(axes[0], found.items()):
        seeds = {len(values) for values in panel.values()}
        number = '-'.join(str(n) for n in sorted({min(seeds), max(seeds)}))
        draw(
            axis, panel, f'setup ({setup}), {epochs} epochs, '
            f'teacher {teacher}, n = {number}')
    save_figure(figure, figure_path(parsed, 'ablation'))


if __name__ == '__main__':
    main()
