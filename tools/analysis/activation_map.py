# Copyright (c) gld_mm authors. All rights reserved.
"""Draw where the last feature map of networks is active.

Figure 1 of GLD's supplementary material: the maximum over the channels at each
position, laid over the image. Each row is an image, each column a network.

Example:
    python tools/analysis/activation_map.py --index 3 17 \\
        --network alone configs/baseline/r20_cifar100.py ALONE.pth \\
        --network GLD configs/gld/r110_r20_cifar100.py GLD.pth
"""
import argparse
from typing import Optional, Sequence, Tuple

import numpy as np
import torch.nn.functional as F
from matplotlib import pyplot as plt
from torch import Tensor

from common import (distillation_config, feature_maps, feature_module,
                    figure_path, load_network, load_samples, pair_parser,
                    save_figure)


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = pair_parser(__doc__)
    parser.add_argument(
        '--feature',
        help='module of the feature map, of several maps the last; by default '
        'that which GLD pools, or backbone')
    return parser.parse_args(args)


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


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    samples = load_samples(parsed.network[0][1], parsed.index, parsed.image)
    config = distillation_config(parsed)
    columns = {}
    for name, *paths in parsed.network:
        network = load_network(*paths)
        module = parsed.feature or feature_module(network, samples, config)
        columns[name] = feature_maps(network, samples, module)
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
    save_figure(figure, figure_path(parsed, 'activation_map'))


if __name__ == '__main__':
    main()
