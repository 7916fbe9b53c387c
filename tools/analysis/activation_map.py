# Copyright (c) gld_mm authors. All rights reserved.
"""Draw where the last feature map of networks is active.

Figure 1 of GLD's supplementary material: at each position the maximum over the
channels, over the image. One row an image, one column a network.

Example:
    python tools/analysis/activation_map.py --index 3 17 \\
        --network alone configs/baseline/r20_cifar100.py ALONE.pth \\
        --network GLD configs/gld/r110_r20_cifar100.py GLD.pth
"""
import argparse
from typing import Tuple

import matplotlib
import numpy as np
import torch.nn.functional as F
from torch import Tensor

from gld_mm.analysis import (feature_maps_of, figure_parser, figure_path,
                             load_network, load_samples, save_figure)
from gld_mm.utils import one_line_errors

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        '--feature',
        default='backbone',
        help='module of the feature map; of several maps the last is drawn')
    return parser.parse_args()


def activation(feature: Tensor, size: Tuple[int, int]) -> np.ndarray:
    """Maximum over the channels, from 0 to 1, as large as the image.

    Args:
        feature (Tensor): ``(C, h, w)``.
        size (tuple[int, int]): H and W of the image.

    Returns:
        np.ndarray: ``(H, W)``; a constant map is all zero.
    """
    strongest = feature.amax(0, keepdim=True)[None]
    strongest = F.interpolate(strongest, size, mode='bilinear')[0, 0]
    strongest = strongest - strongest.min()
    return (strongest / strongest.max().clamp(min=1e-12)).numpy()


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        samples = load_samples(args.network[0][1], args.index, args.image)
        columns = {
            name:
            feature_maps_of(load_network(*network), samples, args.feature)
            for name, *network in args.network
        }
        path = figure_path(args, 'activation_map')
    figure, axes = plt.subplots(
        len(samples),
        1 + len(columns),
        squeeze=False,
        figsize=(2.2 * (1 + len(columns)), 2.3 * len(samples)))
    for row, sample in zip(axes, samples):
        for axis in row:
            axis.imshow(sample.image)
            axis.axis('off')
    axes[0, 0].set_title('image')
    for column, (name, features) in zip(axes.T[1:], columns.items()):
        column[0].set_title(name)
        for axis, sample, feature in zip(column, samples, features):
            axis.imshow(
                activation(feature, sample.image.shape[:2]),
                cmap='jet',
                alpha=.5)
    save_figure(figure, path)


if __name__ == '__main__':
    main()
