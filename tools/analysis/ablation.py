# Copyright (c) gld_mm authors. All rights reserved.
"""Draw the accuracy with each term of GLD alone, in pairs and all together.

Figure 3 of GLD's supplementary material, from the results of
tools/reproduce.py: one panel a setup, the mean of the last epoch over seeds,
with the sample standard deviation where there are several.

Example:
    python tools/reproduce.py a/baseline a/gld 'a/*global*' 'a/*local*' \\
        'a/*relation*'
    python tools/analysis/ablation.py work_dirs/reproduce/results.jsonl
"""
import argparse
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, List, Tuple

import matplotlib

from gld_mm.analysis import save_figure
from gld_mm.experiments import Results, paper_cells
from gld_mm.utils import UserError, one_line_errors

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

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
Panel = Tuple[str, int]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'results', type=Path, help='results.jsonl of tools/reproduce.py')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs', 'figures', 'ablation.png'))
    return parser.parse_args()


def panels(results: Results) -> Dict[Panel, Dict[str, List[float]]]:
    """Top-1 of the last epoch by setup and length, then by method.

    Args:
        results (Results): What has run.

    Returns:
        dict: For each setup and number of epochs with an ablation, the values
        of all seeds of each method.
    """
    found: Dict[Panel, Dict[str, List[float]]] = {}
    for cell in paper_cells().values():
        if cell.method in METHODS:
            for record in results.of(cell.name):
                panel = found.setdefault((cell.group, record['epochs']), {})
                values = panel.setdefault(cell.method, [])
                values.append(record['last']['top1'])
    single = ('global', 'local', 'relation')
    return {
        key: panel
        for key, panel in found.items() if any(m in panel for m in single)
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


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        if not args.results.is_file():
            raise UserError(f'{args.results} does not exist: '
                            'tools/reproduce.py writes it.')
        found = panels(Results(args.results))
        if not found:
            raise UserError(f'{args.results} has no ablation: run python '
                            "tools/reproduce.py 'a/*' first.")
    figure, axes = plt.subplots(
        1, len(found), squeeze=False, figsize=(6.5 * len(found), 3.6))
    for axis, ((group, epochs), panel) in zip(axes[0], found.items()):
        seeds = {len(values) for values in panel.values()}
        number = '-'.join(str(n) for n in sorted({min(seeds), max(seeds)}))
        draw(axis, panel, f'setup ({group}), {epochs} epochs, n = {number}')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, args.out)


if __name__ == '__main__':
    main()
