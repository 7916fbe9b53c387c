# Copyright (c) gld_mm authors. All rights reserved.
"""Draw the predictions of the global and local logits on images.

Figure 2 of GLD's supplementary material: each grid cell shows its predicted
class and confidence, the title those of the global logit. They are green if
the class is in that part of the image. Each row is a network, each column an
image.

The logits of a detector or a segmentation network are the pooled scores that
GLD compares; for a detector, probabilities are averaged over levels and
anchors. The prediction is the best class other than the background, with its
probability among these classes.

Example:
    python tools/analysis/local_predictions.py \\
        --network Teacher configs/baseline/r14_digits.py TEACHER.pth \\
        --network GLD configs/gld/r14_r8_digits.py STUDENT.pth \\
        --index 3 17 --out local_predictions.png
"""
from typing import List, Optional, Sequence, Set, Tuple

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from common import (Sample, build_distiller, figure_path, global_local_logits,
                    grid_of, load_metainfo, load_network, load_samples,
                    pair_parser, required_distillation_config, save_figure)
from gld_mm.errors import UserError

Grid = Tuple[int, int]
Box = Tuple[float, float, float, float]


def probabilities(sets: List[Tensor]) -> Tensor:
    """Average the sets: ``(B, 1 + L, K)``, global first."""
    sets = [logits.softmax(-1) for logits in sets]
    # A level of a detector with fewer positions than cells has no local ones.
    local = [scores[:, 1:] for scores in sets if scores.shape[1] > 1]
    if not local:
        raise UserError('The network has no local logits: GLD finds no '
                        'feature map whose cells it can classify.')
    return torch.cat([
        torch.stack([scores[:, :1] for scores in sets]).mean(0),
        torch.stack(local).mean(0)
    ], 1)


def without_background(scores: Tensor, classes: List[str]) -> Tensor:
    """Probabilities of the named classes, given that it is no background."""
    scores = scores[..., :len(classes)].clone()  # mmdet's background is last
    if 'background' in classes:
        scores[..., classes.index('background')] = 0
    return scores / scores.sum(-1, keepdim=True)


def cells_of(grid: Grid) -> List[Box]:
    """The whole image, then its cells, as left, top, right, bottom in 0..1."""
    rows, columns = grid
    return [(0, 0, 1, 1)] + [(column / columns, row / rows,
                              (column + 1) / columns, (row + 1) / rows)
                             for row in range(rows)
                             for column in range(columns)]


def present(sample: Sample, cell: Box) -> Optional[Set[int]]:
    """Classes in a part of an image; None without ground truth."""
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
         grid: Grid) -> None:
    """Draw an image with the predictions of its cells and, above, of all."""
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
    rows, columns = grid
    for row in range(1, rows):
        axis.axhline(height * row / rows - .5, color='w', lw=1)
    for column in range(1, columns):
        axis.axvline(width * column / columns - .5, color='w', lw=1)
    axis.set_xticks([])
    axis.set_yticks([])


def names_of(sample: Sample, classes: List[str]) -> str:
    """The classes of an image."""
    truth = present(sample, (0, 0, 1, 1)) or ()
    return ', '.join(
        classes[label] for label in sorted(truth)
        if label < len(classes) and classes[label] != 'background')


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = pair_parser(__doc__).parse_args(args)
    samples = load_samples(parsed.network[0][1], parsed.index, parsed.image)
    config = required_distillation_config(parsed)
    distiller = build_distiller(config)
    if distiller.sigmoid:
        raise UserError('The heads of this pair end with sigmoids, which '
                        'choose no class: there is nothing to draw.')
    classes = list(load_metainfo(config)['classes'])
    rows = {}
    for name, *paths in parsed.network:
        sets = global_local_logits(load_network(*paths), samples, config)
        rows[name] = without_background(probabilities(sets), classes)
    figure, axes = plt.subplots(
        len(rows),
        len(samples),
        squeeze=False,
        figsize=(2.1 * len(samples) + .4, 2.3 * len(rows)))
    for row, (name, scores) in zip(axes, rows.items()):
        row[0].set_ylabel(name, fontsize=12)
        for axis, sample, score in zip(row, samples, scores):
            draw(axis, sample, score, classes, grid_of(distiller))
    for axis, sample in zip(axes[-1], samples):
        axis.set_xlabel(names_of(sample, classes))
    figure.suptitle('Global prediction above, local ones inside; truth below')
    save_figure(figure, figure_path(parsed, 'local_predictions'))


if __name__ == '__main__':
    main()
