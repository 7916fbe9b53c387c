# Copyright (c) gld_mm authors. All rights reserved.
"""Time of a training step: student alone, mmrazor's KD, GLD and the floor.

    python tools/benchmark/step_time.py r110_r20_cifar100 --batch 64 --size 32
    python tools/benchmark/step_time.py ssd300_r34_r18_voc --batch 4 --size 300

The pair is the name of a config in configs/gld and configs/kd. A step is
forward, backward and nothing else, on a made-up batch. mmrazor's KD is its
own `SingleTeacherDistill` with `KLDivergence`; the floor is the teacher's
forward and the student's forward and backward, without any distillation.
Each round times all of them in turn, in both memory formats; the table has
medians with least and most.
"""
import argparse
import json
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import InstanceData, PixelData
from rich.console import Console
from rich.table import Table
from torch import nn

import gld_mm  # noqa: F401

CONFIGS = Path(__file__).parents[2] / 'configs'
FORMATS = dict(
    contiguous=torch.contiguous_format, channels_last=torch.channels_last)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pair', help='name of a config, without .py')
    parser.add_argument('--batch', type=int, required=True)
    parser.add_argument('--size', type=int, required=True, help='in pixels')
    parser.add_argument('--steps', type=int, default=5, help='a round')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--out', type=Path, help='JSON file of all rounds')
    return parser.parse_args()


def make_samples(scope: str, batch: int, size: int) -> list:
    """Annotations of made-up images, as the host has them."""
    if scope == 'mmpretrain':
        from mmpretrain.structures import DataSample
        return [DataSample().set_gt_label(i % 10) for i in range(batch)]
    if scope == 'mmdet':
        from mmdet.structures import DetDataSample
        boxes = torch.tensor([[.1, .2, .5, .6], [.4, .3, .9, .8]]) * size
        return [
            DetDataSample(
                metainfo=dict(
                    img_shape=(size, size),
                    pad_shape=(size, size),
                    batch_input_shape=(size, size)),
                gt_instances=InstanceData(
                    bboxes=boxes, labels=torch.tensor([1, 2])))
            for _ in range(batch)
        ]
    from mmseg.structures import SegDataSample
    return [
        SegDataSample(
            gt_sem_seg=PixelData(data=torch.randint(0, 21, (1, size, size))))
        for _ in range(batch)
    ]


class Floor(nn.Module):
    """The teacher's forward and the student's loss."""

    def __init__(self, student: BaseModel, teacher: BaseModel) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher.eval()
        self.parse_losses = student.parse_losses

    def init_weights(self) -> None:
        """Initialize the student."""
        self.student.init_weights()

    def train(self, mode: bool = True) -> 'Floor':
        """Set the mode of the student; the teacher stays in eval."""
        self.student.train(mode)
        return self

    def forward(self, inputs, data_samples, mode):
        """Run the teacher, then the student, without comparing them."""
        with torch.inference_mode():
            self.teacher(inputs, data_samples, mode='tensor')
        return self.student(inputs, data_samples, mode=mode)


def build(pair: str) -> Dict[str, Callable[[], BaseModel]]:
    """How to build each of what is compared, from random weights."""
    gld = Config.fromfile(CONFIGS / 'gld' / f'{pair}.py')
    kd = Config.fromfile(CONFIGS / 'kd' / f'{pair}.py')
    init_default_scope(gld.default_scope)
    model = gld.model.copy()
    if 'data_preprocessor' not in model.architecture:
        model.architecture.data_preprocessor = gld.data_preprocessor
    model.teacher_ckpt = None
    model.architecture.backbone.init_cfg = None  # nothing to download
    stock = dict(
        type='mmrazor.SingleTeacherDistill',
        architecture=model.architecture,
        teacher=model.teacher,
        teacher_trainable=False,
        distiller=kd.model.distiller)
    return {
        'student alone':
        lambda: MODELS.build(model.architecture),
        'mmrazor KD':
        lambda: MODELS.build(stock),
        'GLD':
        lambda: MODELS.build(model),
        'GLD, bf16 teacher':
        lambda: MODELS.build(dict(model, teacher_dtype='bfloat16')),
        'floor':
        lambda: Floor(
            MODELS.build(model.architecture), MODELS.build(model.teacher)),
    }


def step(model: BaseModel, batch: dict) -> None:
    """Forward and backward."""
    total, _ = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    model.zero_grad()


def seconds(model: BaseModel, batch: dict, steps: int) -> float:
    """Mean time of some steps."""
    synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step(model, batch)
    synchronize()
    return (time.perf_counter() - start) / steps


def synchronize() -> None:
    """Wait for what the GPU, where there is one, still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main() -> None:
    args = parse_args()
    warnings.simplefilter('ignore')
    device = get_device()
    makers = build(args.pair)
    scope = Config.fromfile(CONFIGS / 'gld' / f'{args.pair}.py').default_scope
    batch = dict(
        inputs=torch.randn(args.batch, 3, args.size, args.size).to(device),
        data_samples=[
            sample.to(device)
            for sample in make_samples(scope, args.batch, args.size)
        ])
    models = {}
    for name, maker in makers.items():
        for layout, memory in FORMATS.items():
            model = maker().to(device).to(memory_format=memory)
            for network in (model, getattr(model, 'teacher', None)):
                if network is not None:
                    network.init_weights()
            model.train()  # which returns nothing in mmpretrain
            models[name, layout] = model
    times: Dict[tuple, List[float]] = {key: [] for key in models}
    for number in range(args.rounds + 1):
        for key, model in models.items():
            taken = seconds(model, batch, args.steps)
            if number:  # the first round warms up
                times[key].append(taken)
    reference = median(times['mmrazor KD', 'contiguous'])
    table = Table(title=f'{args.pair}, batch {args.batch}, {device}, '
                  f'{torch.get_num_threads()} threads')
    for column in ('', 'memory format', 'ms a step', 'of mmrazor KD',
                   'of the floor'):
        table.add_column(column, no_wrap=True)
    for (name, layout), rounds in times.items():
        floor = median(times['floor', layout])
        table.add_row(
            name, layout, f'{1e3 * median(rounds):,.1f} '
            f'({1e3 * min(rounds):,.1f} - {1e3 * max(rounds):,.1f})',
            f'{median(rounds) / reference:.3f}',
            f'{median(rounds) / floor:.3f}')
    Console(width=100).print(table)
    if args.out:
        args.out.write_text(
            json.dumps([
                dict(what=name, memory_format=layout, seconds=rounds)
                for (name, layout), rounds in times.items()
            ],
                       indent=1))


if __name__ == '__main__':
    main()
