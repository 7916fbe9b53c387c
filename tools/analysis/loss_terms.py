# Copyright (c) gld_mm authors. All rights reserved.
"""Measure each loss term of a distillation and its gradient.

    python tools/analysis/loss_terms.py configs/gld/r110_r20_cifar100.py \
        --student work_dirs/r110_r20_cifar100/epoch_100.pth

Terms are as in the log, weights included. The gradient norm is the L2 norm
over all weights of the student. Both are means over batches of the training
data.
"""
import argparse
from collections import defaultdict
from statistics import mean
from typing import Dict, List, Optional, Sequence

import torch
from mmengine.config import DictAction
from mmengine.device import get_device
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import set_random_seed
from rich.console import Console
from rich.table import Table

import gld_mm  # noqa: F401
from gld_mm.config import model_of, read_config
from gld_mm.engine.checkpoint import load_checkpoint
from gld_mm.engine.runner import CheckedRunner


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a distillation')
    parser.add_argument(
        '--student',
        help='checkpoint of the student; without, its first '
        'weights')
    parser.add_argument('--batches', type=int, default=8)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(args)


def total(value) -> torch.Tensor:
    """What mmengine adds to the loss for an entry."""
    if isinstance(value, (list, tuple)):
        return sum(item.mean() for item in value)
    return value.mean()


def measure(model, batch: dict) -> Dict[str, List[float]]:
    """Value and gradient norm of each term of a batch."""
    data = model.data_preprocessor(batch, True)
    losses = model(**data, mode='loss')
    weights = [p for p in model.parameters() if p.requires_grad]
    measured = {}
    for name, value in losses.items():
        if 'loss' in name and total(value).requires_grad:
            gradients = torch.autograd.grad(
                total(value), weights, retain_graph=True, allow_unused=True)
            norms = [g.norm() for g in gradients if g is not None]
            measured[name] = [
                total(value).item(),
                torch.stack(norms).norm().item()
            ]
    return measured


def measure_batches(args: argparse.Namespace) -> Dict[str, List[List[float]]]:
    """Results of :func:`measure` for each batch, by term."""
    cfg = read_config(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.default_scope)
    set_random_seed(args.seed)
    model = MODELS.build(model_of(cfg)).to(get_device()).train()
    # A teacher without a checkpoint is initialized with the student.
    if not args.student or getattr(model, 'init_teacher', False):
        model.init_weights()
    if args.student:
        load_checkpoint(model, args.student)
    loader = CheckedRunner.build_dataloader(
        cfg.train_dataloader, seed=args.seed)
    terms: Dict[str, List[List[float]]] = defaultdict(list)
    for _, batch in zip(range(args.batches), loader):
        for name, numbers in measure(model, batch).items():
            terms[name].append(numbers)
    return terms


def main(args: Optional[Sequence[str]] = None) -> None:
    parsed = parse_args(args)
    terms = measure_batches(parsed)
    count = max(map(len, terms.values()), default=0)
    table = Table(title=f'{parsed.student or "first weights"}, mean of '
                  f'{count} batches')
    for column in ('term', 'value', 'gradient norm'):
        table.add_column(column, justify='left')
    for name, batches in terms.items():
        table.add_row(name, *(f'{mean(n):.4g}' for n in zip(*batches)))
    Console().print(table)


if __name__ == '__main__':
    main()
