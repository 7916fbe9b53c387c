# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what the global and local logits of networks say about images.

Figure 2 of GLD's supplementary material: the class and confidence of each grid
cell on its part of the image, the global answer above; green where the class
is there. One row a network, one column an image.

Of a detector or a segmentation network the logits are the pooled scores that
GLD compares, of a detector the mean probability over levels and anchors. The
answer is the best class but the background, its confidence that among the
other classes.

Example:
    python tools/analysis/local_predictions.py \\
        --network Teacher configs/teachers/r14_digits.py TEACHER.pth \\
        --network GLD configs/gld/r14_r8_digits.py STUDENT.pth \\
        --index 3 17 --out local_predictions.png
"""
import argparse
from typing import List, Optional, Set, Tuple

import matplotlib
import torch
from torch import Tensor, nn

from gld_mm.analysis import (Sample, figure_parser, figure_path,
                             global_local_logits_of, load_metainfo,
                             load_network, load_samples, save_figure)
from gld_mm.utils import one_line_errors

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

Box = Tuple[float, float, float, float]


def parse_args() -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        '--grid', type=int, default=2, help='rows and columns of cells')
    parser.add_argument(
        '--feature',
        help="module of a classifier's feature map; by default backbone")
    parser.add_argument(
        '--classifier',
        help='module that classifies; by default head.fc, '
        'bbox_head.cls_convs or decode_head.conv_seg')
    return parser.parse_args()


def probabilities(network: nn.Module, samples: List[Sample],
                  args: argparse.Namespace) -> Tensor:
    """Of each image, global and of each cell, ``(B, 1 + L, K)``."""
    sets = [
        logits.softmax(-1) for logits in global_local_logits_of(
            network, samples, args.grid, args.feature, args.classifier)
    ]
    # A level of a detector with fewer positions than cells has no local ones.
    whole = [scores for scores in sets if scores.shape[1] == 1 + args.grid**2]
    return torch.cat([
        torch.stack([scores[:, :1] for scores in sets]).mean(0),
        torch.stack([scores[:, 1:] for scores in whole]).mean(0)
    ], 1)


def without_background(scores: Tensor, classes: List[str]) -> Tensor:
    """Probabilities of the named classes, given that it is no background."""
    scores = scores[..., :len(classes)].clone()  # mmdet's background is last
    if 'background' in classes:
        scores[..., classes.index('background')] = 0
    return scores / scores.sum(-1, keepdim=True)


def cells_of(grid: int) -> List[Box]:
    """The whole image, then its cells, as left, top, right, bottom in 0..1."""
    return [(0, 0, 1, 1)] + [(column / grid, row / grid, (column + 1) / grid,
                              (row + 1) / grid) for row in range(grid)
                             for column in range(grid)]


def present(sample: Sample, cell: Box) -> Optional[Set[int]]:
    """Classes that are in a part of an image; None if nothing says so."""
    truth = sample.packed['data_samples']
    left, top, right, bottom = cell
    if 'gt_label' in truth:
        return set(truth.gt_label.tolist())
    if 'gt_sem_seg' in truth:
        mask = truth.gt_sem_seg.data[0]
        height, width = mask.shape
        part = mask[round(top * height):round(bottom * height),
                    round(left * width):round(right * width)]
        return set(part.unique().tolist())
    if 'gt_instances' in truth and len(truth.gt_instances):
        height, width = truth.ori_shape
        boxes = truth.gt_instances.bboxes
        boxes = getattr(boxes, 'tensor', boxes)  # mmdet wraps them
        boxes = boxes.tolist()
        labels = truth.gt_instances.labels.tolist()
        return {
            label
            for (x1, y1, x2, y2), label in zip(boxes, labels)
            if x1 < right * width and x2 > left * width and y1 < bottom *
            height and y2 > top * height
        }
    return None


def draw(axis: plt.Axes, sample: Sample, scores: Tensor, classes: List[str],
         grid: int) -> None:
    """One image with an answer in each cell and the global one above."""
    axis.imshow(sample.image)
    height, width = sample.image.shape[:2]
    for cell, answers in zip(cells_of(grid), scores):
        confidence, answer = (x.item() for x in answers.max(0))
        truth = present(sample, cell)
        color = 'tab:blue' if truth is None else \
            'tab:green' if answer in truth else 'tab:red'
        if cell == (0, 0, 1, 1):
            axis.set_title(f'{classes[answer]}  {confidence:.2f}', color=color)
            continue
        left, top, right, bottom = cell
        axis.text(
            width * (left + right) / 2 - .5,
            height * (top + bottom) / 2 - .5,
            f'{classes[answer]}\n{confidence:.2f}',
            color='w',
            ha='center',
            va='center',
            fontsize=9,
            bbox=dict(facecolor=color, alpha=0.7, pad=1.5, lw=0))
    for line in range(1, grid):
        axis.axhline(height * line / grid - .5, color='w', lw=1)
        axis.axvline(width * line / grid - .5, color='w', lw=1)
    axis.set_xticks([])
    axis.set_yticks([])


def names_of(sample: Sample, classes: List[str]) -> str:
    """The classes of an image."""
    truth = present(sample, (0, 0, 1, 1)) or ()
    return ', '.join(
        classes[label] for label in sorted(truth)
        if label < len(classes) and classes[label] != 'background')


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        config = args.network[0][1]
        samples = load_samples(config, args.index, args.image)
        classes = list(load_metainfo(config)['classes'])
        rows = {
            name:
            without_background(
                probabilities(load_network(*network), samples, args), classes)
            for name, *network in args.network
        }
        path = figure_path(args, 'local_predictions')
    figure, axes = plt.subplots(
        len(rows),
        len(samples),
        squeeze=False,
        figsize=(2.1 * len(samples) + .4, 2.3 * len(rows)))
    for row, (name, scores) in zip(axes, rows.items()):
        row[0].set_ylabel(name, fontsize=12)
        for axis, sample, score in zip(row, samples, scores):
            draw(axis, sample, score, classes, args.grid)
    for axis, sample in zip(axes[-1], samples):
        axis.set_xlabel(names_of(sample, classes))
    figure.suptitle('Global answer above, local answers inside; truth below')
    save_figure(figure, path)


if __name__ == '__main__':
    main()
