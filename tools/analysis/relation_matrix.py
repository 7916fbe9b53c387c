# Copyright (c) gld_mm authors. All rights reserved.
"""Draw the densely connected relations of networks and their difference.

Each entry is the squared distance between two logits, global or local, of the
images; each row has unit norm. Above the matrices of all networks, below those
of the others minus that of the first, the teacher. The relation loss is the
mean squared difference.

Example:
    python tools/analysis/relation_matrix.py --index 0 1 2 3 4 5 6 7 \\
        --network teacher configs/teachers/r110_cifar100.py TEACHER.pth \\
        --network GLD configs/gld/r110_r20_cifar100.py GLD.pth
"""
import argparse

import matplotlib
from torch import Tensor

from gld_mm.analysis import (figure_parser, figure_path,
                             global_local_logits_of, load_network,
                             load_samples, save_figure)
from gld_mm.functional import relation, relation_matrix
from gld_mm.utils import UserError, one_line_errors

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        '--grid', type=int, default=2, help='rows and columns of cells')
    parser.add_argument(
        '--set',
        type=int,
        default=0,
        help='which level and anchor of a detector; 0 elsewhere')
    return parser.parse_args()


def show(axis: plt.Axes, matrix: Tensor, title: str, logits: int,
         **options) -> None:
    """One matrix; lines tell the images apart."""
    picture = axis.imshow(matrix, interpolation='nearest', **options)
    axis.figure.colorbar(picture, ax=axis, shrink=.8)
    for line in range(logits, len(matrix), logits):
        axis.axhline(line - .5, color='w', lw=.4)
        axis.axvline(line - .5, color='w', lw=.4)
    axis.set_title(title, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])


def logits_of(args: argparse.Namespace) -> dict:
    """Of each network all logits ``(B, 1 + L, K)``."""
    samples = load_samples(args.network[0][1], args.index, args.image)
    found = {}
    for name, *network in args.network:
        sets = global_local_logits_of(
            load_network(*network), samples, args.grid)
        if not 0 <= args.set < len(sets):
            raise UserError(f'There is no set {args.set}: {name} has '
                            f'{len(sets)} sets of logits.')
        found[name] = sets[args.set]
    return found


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        found = logits_of(args)
        path = figure_path(args, 'relation_matrix')
    per_image = next(iter(found.values())).shape[1]
    rows = {name: logits.flatten(0, 1) for name, logits in found.items()}
    matrices = {
        name: relation_matrix(logits, logits)[0]
        for name, logits in rows.items()
    }
    teacher = next(iter(rows))
    highest = max(float(matrix.max()) for matrix in matrices.values())
    differences = {
        name: matrix - matrices[teacher]
        for name, matrix in matrices.items() if name != teacher
    }
    figure, axes = plt.subplots(
        1 + bool(differences),
        len(rows),
        squeeze=False,
        figsize=(4 * len(rows), 3.6 * (1 + bool(differences))))
    for axis, (name, matrix) in zip(axes[0], matrices.items()):
        show(axis, matrix, name, per_image, vmin=0, vmax=highest)
    for axis in axes[1:].flat:
        axis.axis('off')
    widest = max((float(d.abs().max()) for d in differences.values()),
                 default=0)
    for column, (name, difference) in enumerate(differences.items(), 1):
        loss = float(relation(rows[name], rows[teacher]))
        axes[1, column].axis('on')
        show(
            axes[1, column],
            difference,
            f'{name} - {teacher}, loss {loss:.2e}',
            per_image,
            cmap='RdBu_r',
            vmin=-widest,
            vmax=widest)
    save_figure(figure, path)


if __name__ == '__main__':
    main()
