# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what several networks predict on the same images, side by side.

    python tools/analysis/compare_predictions.py --index 0 7 \
        --network teacher configs/baseline/ssd300_r34_voc.py teacher.pth \
        --network student configs/gld/ssd300_r34_r18_voc.py student.pth

Detectors and segmentation networks, drawn by their hosts' visualizers. The
first column is the ground truth.
"""
import argparse
from typing import List, Optional, Sequence

import mmcv
import torch
from matplotlib import pyplot as plt
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import VISUALIZERS

from common import (Sample, figure_path, load_metainfo, load_network,
                    load_samples, network_parser, save_figure)
from gld_mm.config import read_config
from gld_mm.errors import UserError


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = network_parser(__doc__)
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='least score of a box that is drawn')
    return parser.parse_args(args)


@torch.no_grad()
def predict(model: BaseModel, samples: List[Sample]) -> list:
    """Data samples with ground truth and prediction."""
    return [
        model.test_step(pseudo_collate([sample.packed]))[0].cpu()
        for sample in samples
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


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    config = parsed.network[0][1]
    cfg = read_config(config)
    if cfg.default_scope == 'mmpretrain':
        raise UserError('compare_predictions.py draws detectors and '
                        'segmentation networks: for classifiers, see '
                        'local_predictions.py.')
    images = load_samples(config, parsed.index, parsed.image)
    # A picture is all that is written: no backend.
    visualizer = VISUALIZERS.build(
        dict(type=cfg.visualizer.type, name='comparison'))
    visualizer.dataset_meta = load_metainfo(config)
    predicted = {
        name: predict(load_network(*paths), images)
        for name, *paths in parsed.network
    }
    options = dict(pred_score_thr=parsed.score_thr) \
        if cfg.default_scope == 'mmdet' else dict()
    columns = {
        name: draw(visualizer, samples, False, **options)
        for name, samples in predicted.items()
    }
    first = next(iter(predicted.values()))
    if not parsed.image and all('gt_sem_seg' in x or 'gt_instances' in x
                                for x in first):
        truth = draw(visualizer, first, True, **options)
        columns = {'ground truth': truth, **columns}
    figure, axes = plt.subplots(
        len(images),
        len(columns),
        figsize=(4 * len(columns), 3.2 * len(images)),
        squeeze=False)
    for column, (title, pictures) in zip(axes.T, columns.items()):
        column[0].set_title(title)
        for axis, picture in zip(column, pictures):
            axis.imshow(picture)
            axis.axis('off')
    save_figure(figure, figure_path(parsed, 'compare_predictions'), dpi=100)


if __name__ == '__main__':
    main()
