# Copyright (c) gld_mm authors. All rights reserved.
"""Cost of the relation loss: time against its matrix products, and memory.

    python tools/benchmark/relation_loss.py --out relation_loss.png

Forward and backward of `gld_mm.functional.relation`, next to the four products
of M x K matrices that it cannot do without (the squared distances of student
and teacher, and the two products of the student's gradient), side by side;
the most extra memory at M = 20,000; and the time against batch size B and
cells L, with M = B (1 + L).
"""
import argparse
import json
import resource
from pathlib import Path
from statistics import median
from typing import Dict, List

import matplotlib
import torch
from mmengine.device import get_device
from rich.console import Console
from rich.table import Table

import gld_mm  # noqa: F401
from gld_mm.functional import relation
from timing import median_ratio, milliseconds, seconds, side_by_side

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402

SIZES = ((320, 100), (1280, 100), (1280, 1000), (2560, 1000))
LARGE = (20_000, 100)
BATCHES = (16, 32, 64, 128, 256, 512)
CELLS = (1, 4, 9, 16)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--out', type=Path, help='PNG; JSON goes beside it')
    return parser.parse_args()


def make(rows: int, classes: int) -> List[torch.Tensor]:
    """Random logits of student and teacher, ``(rows, classes)`` each."""
    torch.manual_seed(0)
    student, teacher = torch.randn(2, rows, classes, device=get_device())
    return [student.requires_grad_(), teacher]


def loss(student: torch.Tensor, teacher: torch.Tensor) -> None:
    """Forward and backward of the loss."""
    relation(student, teacher).backward()


def products(student: torch.Tensor, teacher: torch.Tensor) -> None:
    """The matrix products of the loss and its gradient."""
    with torch.no_grad():
        distances = student @ student.t()
        teacher @ teacher.t()
        distances @ student
        distances.t() @ student


def compare(rows: int, classes: int, rounds: int) -> Dict[str, list]:
    """Time both."""
    tensors = make(rows, classes)
    return side_by_side(
        dict(loss=lambda: loss(*tensors), products=lambda: products(*tensors)),
        rounds)


def peak_memory() -> float:
    """The most memory that was in use so far, in MiB."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    args = parse_args()
    console = Console(width=100)
    # First, since the peak of the process is what can be read.
    tensors = make(*LARGE)
    loss(*make(64, LARGE[1]))
    before = peak_memory()
    taken = seconds(loss, *tensors)
    memory = peak_memory() - before
    console.print(f'M = {LARGE[0]:,}, K = {LARGE[1]}: {memory:.0f} MiB of '
                  f'extra memory, {taken:.1f} s')
    table = Table('M', 'K', 'loss, ms', 'products, ms', 'ratio')
    results = []
    for rows, classes in SIZES:
        times = compare(rows, classes, args.rounds)
        results.append(dict(rows=rows, classes=classes, **times))
        table.add_row(
            str(rows), str(classes),
            *(milliseconds(times[name]) for name in ('loss', 'products')),
            f'{median_ratio(times["loss"], times["products"]):.2f}')
    console.print(table)
    curves = {
        cells: [
            median(compare(batch * (1 + cells), 100, 5)['loss'])
            for batch in BATCHES
        ]
        for cells in CELLS
    }
    for cells, curve in curves.items():
        console.print(f'L = {cells}: ' +
                      ', '.join(f'B = {batch} {1e3 * taken:.1f} ms'
                                for batch, taken in zip(BATCHES, curve)))
    if args.out:
        draw(curves, args.out)
        args.out.with_suffix('.json').write_text(
            json.dumps(
                dict(memory_mib=memory, sizes=results, curves=curves),
                indent=1))


def draw(curves: Dict[int, list], path: Path) -> None:
    """Plot time against the number of logits, with its square."""
    figure, axis = plt.subplots(figsize=(5, 4))
    for cells, curve in curves.items():
        axis.loglog([batch * (1 + cells) for batch in BATCHES],
                    [1e3 * taken for taken in curve],
                    'o-',
                    label=f'L = {cells}')
    rows = [min(BATCHES) * 2, max(BATCHES) * (1 + max(CELLS))]
    last = 1e3 * curves[max(CELLS)][-1]
    axis.loglog(
        rows, [last * (m / rows[1])**2 for m in rows], 'k:', label='M squared')
    axis.set_xlabel('logits M = B (1 + L)')
    axis.set_ylabel('forward and backward, ms')
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


if __name__ == '__main__':
    main()
