# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, Iterable, List, Tuple

from .cell import Cell
from .results import Results


def spread(values: List[float], digits: int = 2) -> str:
    """Format mean and sample standard deviation.

    Args:
        values (list[float]): One a seed.
        digits (int): Digits after the point. Defaults to 2.

    Returns:
        str: ``71.20 +- 0.15``, or the value alone if there is one.
    """
    text = f'{mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' +- {stdev(values):.{digits}f}'
    return text


def table(cells: Iterable[Cell], results: Results) -> str:
    """Render paper beside ours as a Markdown table.

    Args:
        cells (Iterable[Cell]): The rows.
        results (Results): What has run; several lengths are several rows.

    Returns:
        str: A table of top-1, and top-5 of the last epoch, in percent.
    """
    lines = [
        '| cell | epochs | paper | ours, last epoch | best epoch | '
        'top-5 | n |', '|---|---|---|---|---|---|---|'
    ]
    for cell in cells:
        for epochs, records in _by_epochs(results.of(cell.name)).items():
            length = str(epochs)
            if records[0]['shortened']:
                length += f' of {records[0]["full_epochs"]}'
                if records[0].get('needs_epochs'):
                    length += f', teacher {records[0]["needs_epochs"]}'
                length += ', shortened'
            top5 = [r['last'].get('top5') for r in records]
            lines.append(' | '.join([
                f'| {cell.name}', length,
                f'{cell.paper:.2f}' if cell.paper else '-',
                spread([r['last']['top1'] for r in records]),
                spread([r['best']['top1'] for r in records]),
                '-' if None in top5 else spread(top5), f'{len(records)} |'
            ]))
    return '\n'.join(lines) + '\n'


def draw_curves(cells: Iterable[Cell], results: Results, path: Path) -> None:
    """Draw top-1 after each epoch, a panel for each group and length.

    Args:
        cells (Iterable[Cell]): What to draw.
        results (Results): What has run. Seeds are thin lines, their mean a
            thick one.
        path (Path): Where the picture goes.
    """
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    panels: Dict[Tuple[str, int], List[Tuple[str, List[dict]]]] = {}
    for cell in cells:
        for epochs, records in _by_epochs(results.of(cell.name)).items():
            panels.setdefault((cell.group, epochs), []).append(
                (cell.method, records))
    if not panels:
        return
    figure, axes = plt.subplots(
        1, len(panels), figsize=(5.5 * len(panels), 4), squeeze=False)
    for axis, ((group, epochs), lines) in zip(axes[0], panels.items()):
        for number, (method, records) in enumerate(lines):
            curves = [record['curve'] for record in records]
            steps = range(1, epochs + 1)
            for curve in curves:
                axis.plot(steps, curve, color=f'C{number}', lw=0.7, alpha=0.5)
            average = [mean(values) for values in zip(*curves)]
            axis.plot(
                steps,
                average,
                color=f'C{number}',
                lw=2,
                label=f'{method} (n = {len(curves)})')
        axis.set(
            title=f'{group}, {epochs} epochs',
            xlabel='epoch',
            ylabel='top-1 (%)')
        axis.grid(alpha=0.3)
        axis.legend(loc='upper left', bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _by_epochs(records: List[dict]) -> Dict[int, List[dict]]:
    lengths: Dict[int, List[dict]] = {}
    for record in records:
        lengths.setdefault(record['epochs'], []).append(record)
    return dict(sorted(lengths.items()))
