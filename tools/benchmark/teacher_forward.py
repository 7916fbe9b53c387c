# Copyright (c) gld_mm authors. All rights reserved.
"""Time of a teacher's forward, plain and prepared for inference.

    python tools/benchmark/teacher_forward.py r110_r20_cifar100 64 32
    python tools/benchmark/teacher_forward.py ssd300_r34_r18_voc 4 300

The arguments are the name of a config in configs/gld, the batch and the size
of the images. Each round times both networks one after the other; the ratio
is the median over the rounds.
"""
import argparse
import copy
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS, init_default_scope

import gld_mm  # noqa: F401
from gld_mm.models.algorithms.prepare_for_inference import \
    prepare_for_inference
from timing import median_ratio, milliseconds, side_by_side

CONFIGS = Path(__file__).parents[2] / 'configs' / 'gld'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pair', help='name of a config, without .py')
    parser.add_argument('batch', type=int)
    parser.add_argument('size', type=int, help='in pixels')
    parser.add_argument('--rounds', type=int, default=15)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(CONFIGS / f'{args.pair}.py')
    init_default_scope(cfg.default_scope)
    cfg.model.teacher.backbone.init_cfg = None  # nothing to download
    plain = MODELS.build(cfg.model.teacher).to(get_device()).eval()
    prepared = copy.deepcopy(plain)
    prepare_for_inference(prepared)
    images = torch.randn(
        args.batch, 3, args.size, args.size, device=get_device())
    with torch.no_grad():
        times = side_by_side(
            {
                'plain': lambda: plain(images, mode='tensor'),
                'prepared': lambda: prepared(images, mode='tensor')
            }, args.rounds)
    print(f'{args.pair}: plain {milliseconds(times["plain"])} ms, prepared '
          f'{milliseconds(times["prepared"])} ms, ratio '
          f'{median_ratio(times["prepared"], times["plain"]):.2f}')


if __name__ == '__main__':
    main()
