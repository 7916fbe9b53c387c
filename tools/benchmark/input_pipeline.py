# Copyright (c) gld_mm authors. All rights reserved.
"""Images per second of the data path alone and of whole training steps.

    python tools/benchmark/input_pipeline.py \
        configs/baseline/wrn16-1_cifar100.py \
        --data configs/_base_/datasets/cifar100_bs64.py \
        configs/_base_/datasets/cifar100_bs64_in_memory.py

Each round times every data config in turn, side by side in one process; the
table has medians, least and most. Start-up (workers, reading the images into
memory) is not counted.
"""
import argparse
import json
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from rich.console import Console
from rich.table import Table

import gld_mm  # noqa: F401
from gld_mm.config import model_of
from timing import synchronize


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a model and its schedule')
    parser.add_argument(
        '--data', nargs='+', required=True, help='configs of data to compare')
    parser.add_argument('--batches', type=int, default=50, help='a round')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--out', type=Path, help='JSON file of all rounds')
    return parser.parse_args()


class Variant:
    """A data config with a network of its own."""

    def __init__(self, config: str, data: str) -> None:
        cfg = Config.fromfile(config)
        for key, value in Config.fromfile(data).items():
            cfg[key] = value
        init_default_scope(cfg.default_scope)
        # One shuffled pass after another, as epochs are.
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        self.batches = cycle_epochs(loader)
        self.prefetched = loader.num_workers * (loader.prefetch_factor or 0)
        self.model = MODELS.build(model_of(cfg)).to(get_device()).train()
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)

    def prepare(self, batch: dict) -> int:
        """The data path: a batch on the device, augmented and normalised."""
        return len(self.model.data_preprocessor(batch, True)['inputs'])

    def train(self, batch: dict) -> int:
        """A whole training step."""
        self.model.train_step(batch, self.optim_wrapper)
        return len(batch['inputs'])

    def images_per_second(self, work: Callable, batches: int) -> float:
        """Time some batches."""
        # Workers have filled their queues while something else was timed.
        for batch in islice(self.batches, self.prefetched):
            work(batch)
        synchronize()
        start, images = time.perf_counter(), 0
        for batch in islice(self.batches, batches):
            images += work(batch)
        synchronize()
        return images / (time.perf_counter() - start)


def cycle_epochs(loader):
    """Endless batches."""
    while True:
        yield from loader


def main() -> None:
    args = parse_args()
    variants = {data: Variant(args.config, data) for data in args.data}
    rates: Dict[str, Dict[str, List[float]]] = {
        data: dict(data=[], step=[])
        for data in args.data
    }
    for number in range(args.rounds + 1):
        for data, variant in variants.items():
            for name, work in (('data', variant.prepare), ('step',
                                                           variant.train)):
                rate = variant.images_per_second(work, args.batches)
                if number:  # the first round warms up
                    rates[data][name].append(rate)
    table = Table(title=f'{args.config}, images per second')
    for column in ('data config', 'data path alone', 'training step'):
        table.add_column(column, justify='left')
    for data, measured in rates.items():
        table.add_row(
            data,
            *(f'{median(v):,.0f} ({min(v):,.0f} - {max(v):,.0f})'
              for v in measured.values()))
    Console(width=110).print(table)
    if args.out:
        args.out.write_text(
            json.dumps(dict(config=args.config, rates=rates), indent=1))


if __name__ == '__main__':
    main()
