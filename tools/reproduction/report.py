# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, Iterator, List, Tuple

import matplotlib
import numpy as np

from .experiment import Experiment, paper_experiments
from .result import load_results

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

_HEADER = '''\
| experiment | epochs | paper | ours, last epoch | best epoch | top-5 | n |
|---|---|---|---|---|---|---|
'''


def mean_and_std(values: List[float], digits: int = 2) -> str:
    """Format mean and sample standard deviation: ``71.20 +- 0.15``."""
    text = f'{mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' +- {stdev(values):.{digits}f}'
    return text


def markdown_table(folder: Path) -> str:
    """A row for each experiment and length: the paper beside the results."""
    rows = ''
    for experiment, results in _paper_results(folder):
        length = str(results[0]['epochs'])
        if results[0]['shortened']:
            length += f' of {results[0]["full_epochs"]}'
            length += _source(experiment, results) + ', shortened'
        if results[0].get('data'):
            length += f', {Path(results[0]["data"]).name}'
        paper = f'{experiment.paper:.2f}' if experiment.paper else '-'
        last, best = (
            mean_and_std([r[epoch]['top1'] for r in results])
            for epoch in ('last', 'best'))
        top5 = [r['last']['top5'] for r in results if 'top5' in r['last']]
        rows += f'| {experiment.name} | {length} | {paper} | {last} | ' \
                f'{best} | {mean_and_std(top5) if top5 else "-"} | ' \
                f'{len(results)} |\n'
    return _HEADER + rows


def draw_curves(folder: Path, path: Path) -> None:
    """Draw top-1 after each epoch, a panel for each setup and length.

    Seeds are thin lines, their mean is a thick one. Students of teachers of
    different length have lines of their own.
    """
    panels: Dict[Tuple[str, int], List[Tuple[str, list]]] = {}
    for experiment, results in _paper_results(folder):
        setup, method = experiment.name.split('/')
        method += _source(experiment, results)
        curves = [result['curve'] for result in results]
        panels.setdefault((setup, results[0]['epochs']), []).append(
            (method, curves))
    if not panels:
        return
    figure, axes = plt.subplots(
        1, len(panels), figsize=(5.5 * len(panels), 4), squeeze=False)
    for axis, ((setup, epochs), lines) in zip(axes[0], panels.items()):
        steps = range(1, epochs + 1)
        for number, (method, curves) in enumerate(lines):
            color, label = f'C{number}', f'{method} (n = {len(curves)})'
            axis.plot(steps, np.transpose(curves), color, lw=.7, alpha=.5)
            axis.plot(steps, np.mean(curves, 0), color, lw=2, label=label)
        axis.set(title=f'{setup}, {epochs} epochs', xlabel='epoch')
        axis.set_ylabel('top-1 (%)')
        axis.grid(alpha=.3)
        axis.legend(loc='upper left', bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _source(experiment: Experiment, results: List[dict]) -> str:
    """How long the network was trained whose weights the runs use."""
    epochs = results[0]['teacher_epochs']
    teaches = experiment.checkpoint_option == 'model.teacher_ckpt'
    return f', {"teacher" if teaches else "features"} {epochs}' if epochs \
        else ''


def _paper_results(folder: Path) -> Iterator[Tuple[Experiment, List[dict]]]:
    """In the order of the paper, shorter schedules first."""
    results = load_results(folder)
    for experiment in paper_experiments().values():
        for group in results:
            if group[0]['experiment'] == experiment.name:
                yield experiment, group
