# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what several networks predict on the same images, side by side.

    python tools/analysis/compare_predictions.py --index 0 7 \
        --network teacher configs/teachers/ssd300_r34_voc.py teacher.pth \
        --network student configs/gld/ssd300_r34_r18_voc.py student.pth

Detectors and segmentation networks, drawn by their hosts' visualizers. The
images are those of the first network's test set; the first column is the
ground truth.
"""
import argparse
from typing import List, Sequence

import matplotlib
import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.registry import (DATASETS, MODELS, VISUALIZERS,
                               init_default_scope)
from mmengine.runner import load_checkpoint
from torch import nn

import gld_mm  # noqa: F401
from gld_mm.utils import student_of

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402


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
        help='a column; of a distillation the student')
    parser.add_argument(
        '--index', type=int, nargs='+', default=[0], help='of the test set')
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='least score of a box that is drawn')
    parser.add_argument('--out', default='compare_predictions.png')
    return parser.parse_args()


def load(config: str, checkpoint: str) -> nn.Module:
    """Build a network for testing."""
    model = MODELS.build(student_of(Config.fromfile(config)).model)
    load_checkpoint(model, checkpoint, map_location='cpu', strict=True)
    return model.to(get_device()).eval()


@torch.no_grad()
def predict(model: nn.Module, dataset, indices: Sequence[int]) -> list:
    """Data samples, with ground truth and prediction, of some images."""
    return [
        model.test_step(pseudo_collate([dataset[index]]))[0].cpu()
        for index in indices
    ]


def draw(visualizer, samples: list, draw_gt: bool, **options) -> List:
    """Draw data samples, either their ground truth or their prediction."""
    pictures = []
    for sample in samples:
        visualizer.add_datasample(
            'image',
            mmcv.imread(sample.img_path, channel_order='rgb'),
            sample,
            draw_gt=draw_gt,
            draw_pred=not draw_gt,
            **options)
        pictures.append(visualizer.get_image())
    return pictures


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.network[0][1])
    init_default_scope(cfg.default_scope)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    # A picture is all that is written: no backend.
    visualizer = VISUALIZERS.build(
        dict(type=cfg.visualizer.type, name='comparison'))
    visualizer.dataset_meta = dataset.metainfo
    options = dict(pred_score_thr=args.score_thr) \
        if cfg.default_scope == 'mmdet' else dict()
    columns = dict()
    for title, config, checkpoint in args.network:
        samples = predict(load(config, checkpoint), dataset, args.index)
        columns.setdefault('ground truth',
                           draw(visualizer, samples, True, **options))
        columns[title] = draw(visualizer, samples, False, **options)
    figure, axes = plt.subplots(
        len(args.index),
        len(columns),
        figsize=(4 * len(columns), 3.2 * len(args.index)),
        squeeze=False)
    for column, (title, pictures) in zip(axes.T, columns.items()):
        column[0].set_title(title)
        for axis, picture in zip(column, pictures):
            axis.imshow(np.asarray(picture))
            axis.axis('off')
    figure.tight_layout()
    figure.savefig(args.out, dpi=100)


if __name__ == '__main__':
    main()
