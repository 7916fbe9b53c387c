# Copyright (c) gld_mm authors. All rights reserved.
"""Draw what several networks predict on the same images, side by side.

    python tools/analysis/compare_predictions.py --index 0 7 \
        --network teacher configs/teachers/ssd300_r34_voc.py teacher.pth \
        --network student configs/gld/ssd300_r34_r18_voc.py student.pth

Detectors and segmentation networks, drawn by their hosts' visualizers. The
first column is the ground truth.
"""
import argparse
from typing import List

import matplotlib
import mmcv
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import VISUALIZERS

from gld_mm.analysis import (Sample, figure_parser, figure_path, load_metainfo,
                             load_network, load_samples, save_figure)
from gld_mm.utils import one_line_errors, read_config

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = figure_parser(__doc__)
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='least score of a box that is drawn')
    return parser.parse_args()


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


def main() -> None:
    args = parse_args()
    with one_line_errors('The figure cannot be drawn'):
        config = args.network[0][1]
        images = load_samples(config, args.index, args.image)
        cfg = read_config(config)
        # A picture is all that is written: no backend.
        visualizer = VISUALIZERS.build(
            dict(type=cfg.visualizer.type, name='comparison'))
        visualizer.dataset_meta = load_metainfo(config)
        predicted = {
            name: predict(load_network(*network), images)
            for name, *network in args.network
        }
        path = figure_path(args, 'compare_predictions')
    options = dict(pred_score_thr=args.score_thr) \
        if cfg.default_scope == 'mmdet' else dict()
    columns = {
        name: draw(visualizer, samples, False, **options)
        for name, samples in predicted.items()
    }
    if not args.image:
        truth = draw(visualizer, next(iter(predicted.values())), True,
                     **options)
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
    save_figure(figure, path, dpi=100)


if __name__ == '__main__':
    main()
