# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what the global and local logits of networks say about images.

The figure of GLD's supplementary material: the class and confidence of each
grid cell on its part of the image, the global answer above. One row a network,
one column an image.

Example:
    python tools/analysis/local_predictions.py \\
        --network Teacher configs/teachers/r14_digits.py TEACHER.pth \\
        --network GLD configs/gld/r14_r8_digits.py STUDENT.pth \\
        --index 3 17 --out local_predictions.png
"""
import argparse
from typing import List, Tuple

import matplotlib
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpretrain import get_model
from mmpretrain.registry import DATASETS
from torch import Tensor, nn

import gld_mm  # noqa: F401
from gld_mm.models import FeatureWithClassifierRecorder
from gld_mm.models import GlobalLocalLogitConnector
from gld_mm.utils import student_of

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--network',
        nargs=3,
        action='append',
        required=True,
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='a network to show; repeat for more')
    parser.add_argument(
        '--index',
        nargs='+',
        type=int,
        default=[0],
        help="indices into the first config's test set")
    parser.add_argument(
        '--grid', type=int, default=2, help='rows and columns of cells')
    parser.add_argument(
        '--feature', default='backbone', help='module of the feature map')
    parser.add_argument(
        '--classifier', default='head.fc', help='module of the classifier')
    parser.add_argument('--out', default='local_predictions.png')
    return parser.parse_args()


@torch.no_grad()
def global_local_scores(model: nn.Module, images: List[dict],
                        args: argparse.Namespace) -> Tuple[Tensor, Tensor]:
    """Preprocessed images ``(B, 3, H, W)`` and scores ``(B, 1+L, K)``."""
    recorder = FeatureWithClassifierRecorder(args.feature, args.classifier)
    recorder.initialize(model)
    inputs = model.data_preprocessor(pseudo_collate(images), False)['inputs']
    with recorder:
        model(inputs)
    logits = GlobalLocalLogitConnector(args.grid)(recorder.get_record_data())
    return inputs, logits.softmax(-1)


def draw(axis: plt.Axes, image: Tensor, scores: Tensor, label: int,
         classes: List[str], grid: int) -> None:
    """One image with an answer in each cell; right answers in green."""
    low, high = image.min(), image.max()
    axis.imshow(((image - low) / (high - low)).permute(1, 2, 0))
    height, width = image.shape[1:]
    confidence, answer = (x.tolist() for x in scores.max(-1))
    axis.set_title(
        f'{classes[answer[0]]}  {confidence[0]:.2f}',
        color='tab:green' if answer[0] == label else 'tab:red')
    for cell in range(grid**2):
        row, column = divmod(cell, grid)
        answered = answer[1 + cell]
        axis.text(
            width * (column + .5) / grid - .5,
            height * (row + .5) / grid - .5,
            f'{classes[answered]}\n{confidence[1 + cell]:.2f}',
            color='w',
            ha='center',
            va='center',
            fontsize=9,
            bbox=dict(
                facecolor='tab:green' if answered == label else 'tab:red',
                alpha=0.7,
                pad=1.5,
                lw=0))
    for line in range(1, grid):
        axis.axhline(height * line / grid - .5, color='w', lw=1)
        axis.axvline(width * line / grid - .5, color='w', lw=1)
    axis.set_xticks([])
    axis.set_yticks([])


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.network[0][1])
    init_default_scope(cfg.default_scope)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    samples = [dataset[i] for i in args.index]
    labels = [int(s['data_samples'].gt_label) for s in samples]
    figure, axes = plt.subplots(
        len(args.network),
        len(samples),
        squeeze=False,
        figsize=(2.1 * len(samples) + .4, 2.3 * len(args.network)))
    for row, (name, config, checkpoint) in zip(axes, args.network):
        model = get_model(
            student_of(Config.fromfile(config)),
            pretrained=checkpoint,
            device='cpu')
        images, scores = global_local_scores(model, samples, args)
        row[0].set_ylabel(name, fontsize=12)
        for axis, image, score, label in zip(row, images, scores, labels):
            draw(axis, image, score, label, dataset.CLASSES, args.grid)
    truth = ', '.join(dataset.CLASSES[label] for label in labels)
    figure.suptitle(
        f'Global answer above, local answers inside; truth {truth}')
    figure.tight_layout()
    figure.savefig(args.out, dpi=120)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()
