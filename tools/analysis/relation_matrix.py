# Copyright (c) gld_mm authors. All rights reserved.
"""Draw the densely connected relations of networks and their difference.

An entry is the squared distance between two logits, global or local, of the
images; each row has unit norm. The upper row has one matrix for each network,
the lower row their differences to the first, the teacher. The mean squared
difference is the relation loss.

Example:
    python tools/analysis/relation_matrix.py --index 0 1 2 3 4 5 6 7 \\
        --network teacher configs/baseline/r110_cifar100.py TEACHER.pth \\
        --network GLD configs/gld/r110_r20_cifar100.py GLD.pth
"""
import argparse
from typing import Optional, Sequence

from matplotlib import pyplot as plt
from torch import Tensor

from common import (figure_path, global_local_logits, load_network,
                    load_samples, pair_parser, required_distillation_config,
                    save_figure)
from gld_mm.errors import UserError
from gld_mm.functional import relation, relation_matrix


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = pair_parser(__doc__)
    parser.add_argument(
        '--set',
        type=int,
        default=0,
        help='which level and anchor of a detector')
    return parser.parse_args(args)


def show(axis: plt.Axes, matrix: Tensor, title: str, logits: int,
         **options) -> None:
    """Draw a matrix, with lines between the images."""
    picture = axis.imshow(matrix, interpolation='nearest', **options)
    axis.figure.colorbar(picture, ax=axis, shrink=.8)
    for line in range(logits, len(matrix), logits):
        axis.axhline(line - .5, color='w', lw=.4)
        axis.axvline(line - .5, color='w', lw=.4)
    axis.set_title(title, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])


def logits_of(args: argparse.Namespace) -> dict:
    """The logits of each network, ``(B, 1 + L, K)``."""
    samples = load_samples(args.network[0][1], args.index, args.image)
    config = required_distillation_config(args)
    found = {}
    for name, *paths in args.network:
        sets = global_local_logits(load_network(*paths), samples, config)
        if not 0 <= args.set < len(sets):
            raise UserError(f'There is no set {args.set}: {name} has '
                            f'{len(sets)} sets of logits.')
        found[name] = sets[args.set]
    return found


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    found = logits_of(parsed)
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
    save_figure(figure, figure_path(parsed, 'relation_matrix'))


if __name__ == '__main__':
    main()
