# Copyright (c) gld_mm authors. All rights reserved.
"""Time a training step: the student alone, mmrazor's KD, GLD and the floor.

    python tools/benchmark/step_time.py r110_r20_cifar100 --batch 64 --size 32
    python tools/benchmark/step_time.py ssd300_r34_r18_voc --batch 4 --size 300

The pair is the name of a config in configs/gld, which configs/kd has with
"kd_" before it. A step is forward and backward on a synthetic batch. mmrazor's
KD is its own `SingleTeacherDistill` with `KLDivergence`. The floor is the
teacher's forward, as it was trained, and the student's forward and backward,
without any distillation. Each round times every variant in both memory formats
one after the other. The table has the median, minimum and maximum over the
rounds, and medians of the ratios within a round.
"""
import argparse
import json
import warnings
from functools import partial
from pathlib import Path
from typing import Dict

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import InstanceData, PixelData
from rich.console import Console
from rich.table import Table
from torch import nn

from gld_mm.engine.compile import compile_parts
from timing import median_ratio, milliseconds, side_by_side

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
    parser.add_argument(
        '--compile', action='store_true', help='add GLD with torch.compile')
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


@MODELS.register_module()
class Floor(nn.Module):
    """The teacher's forward and the student's loss."""

    def __init__(self, architecture: dict, teacher: dict) -> None:
        super().__init__()
        self.student = MODELS.build(architecture)
        self.teacher = MODELS.build(teacher).eval()
        self.parse_losses = self.student.parse_losses

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


def build(pair: str) -> Dict[str, ConfigDict]:
    """Configs of what is compared, with random weights."""
    gld = Config.fromfile(CONFIGS / 'gld' / f'{pair}.py')
    kd = Config.fromfile(CONFIGS / 'kd' / f'kd_{pair}.py')
    init_default_scope(gld.default_scope)
    # No line for each weight that is initialized
    MMLogger.get_current_instance().setLevel('WARNING')
    model = gld.model
    if 'data_preprocessor' not in model.architecture:
        model.architecture.data_preprocessor = gld.data_preprocessor
    model.teacher_ckpt = None
    for network in (model.architecture, model.teacher):
        network.backbone.init_cfg = None  # nothing to download
    networks = dict(architecture=model.architecture, teacher=model.teacher)
    stock = dict(
        type='mmrazor.SingleTeacherDistill',
        teacher_trainable=False,
        distiller=kd.model.distiller,
        **networks)
    return {
        'student alone': model.architecture,
        'mmrazor KD': ConfigDict(stock),
        'GLD, plain teacher': ConfigDict(model, prepare_teacher=False),
        'GLD': model,
        'GLD, bf16 teacher': ConfigDict(model, teacher_dtype='bfloat16'),
        'floor': ConfigDict(type='Floor', **networks),
    }


def step(model: BaseModel, batch: dict) -> None:
    """Forward and backward."""
    total, _ = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    model.zero_grad()


def initialize(config: ConfigDict, memory: torch.memory_format) -> BaseModel:
    """Build a model for training, with random weights."""
    model = MODELS.build(config)
    model.init_weights()
    model = model.to(get_device()).to(memory_format=memory)
    model.train()  # which returns nothing in mmpretrain
    return model


def make_batch(scope: str, batch: int, size: int) -> dict:
    """Synthetic images with annotations, on the device."""
    device = get_device()
    samples = make_samples(scope, batch, size)
    return dict(
        inputs=torch.randn(batch, 3, size, size).to(device),
        data_samples=[sample.to(device) for sample in samples])


def main() -> None:
    args = parse_args()
    warnings.simplefilter('ignore')
    configs = build(args.pair)
    scope = Config.fromfile(CONFIGS / 'gld' / f'{args.pair}.py').default_scope
    batch = make_batch(scope, args.batch, args.size)
    models = {
        (name, layout): initialize(config, memory)
        for name, config in configs.items()
        for layout, memory in FORMATS.items()
    }
    if args.compile:
        for layout, memory in FORMATS.items():
            model = initialize(configs['GLD'], memory)
            compile_parts(model)
            compile_parts(model.teacher)
            models['GLD, compiled', layout] = model

    def steps(model: BaseModel) -> None:
        for _ in range(args.steps):
            step(model, batch)

    times = side_by_side(
        {
            key: partial(steps, model)
            for key, model in models.items()
        }, args.rounds)
    times = {
        key: [t / args.steps for t in taken]
        for key, taken in times.items()
    }
    reference = times['mmrazor KD', 'contiguous']
    table = Table(title=f'{args.pair}, batch {args.batch}, {get_device()}, '
                  f'{torch.get_num_threads()} threads')
    for column in ('', 'memory format', 'ms a step', 'of mmrazor KD',
                   'of the floor'):
        table.add_column(column, no_wrap=True)
    for (name, layout), taken in times.items():
        table.add_row(name, layout, milliseconds(taken),
                      f'{median_ratio(taken, reference):.3f}',
                      f'{median_ratio(taken, times["floor", layout]):.3f}')
    Console(width=100).print(table)
    if args.out:
        args.out.write_text(
            json.dumps([
                dict(what=name, memory_format=layout, seconds=taken)
                for (name, layout), taken in times.items()
            ],
                       indent=1))


if __name__ == '__main__':
    main()
