# Copyright (c) gld_mm authors. All rights reserved.
"""Read every file of a config's datasets and report what is wrong.

    python tools/check_data.py configs/gld/r34_r18_flowers102.py
"""
import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from mmengine.config import Config, DictAction
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope
from PIL import Image
from rich.console import Console
from rich.progress import track

import gld_mm  # noqa: F401
from gld_mm.config import read_config
from gld_mm.config.read import count_classes, type_name
from gld_mm.datasets.checks.build import build_dataset
from gld_mm.datasets.checks.classes import check_agreement
from gld_mm.datasets.checks.items import (files, missing_files, parts,
                                          reads_pictures)
from gld_mm.datasets.checks.masks import known_labels, masks, read_labels
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.errors import UserError

SHOWN = 20


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='files at a time')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(argv)


def datasets_of(cfg: Config) -> Dict[str, dict]:
    """The datasets of a config by split; one that two share is listed once."""
    found: Dict[str, dict] = {}
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader['dataset'] not in found.values():
            found[split] = loader['dataset']
    return found


def is_evaluated(cfg: Config, split: str) -> bool:
    """Whether COCO's metric reads the annotations of a split."""
    metrics = cfg.get(f'{split}_evaluator') or ()
    return any(
        type_name(metric) == 'CocoMetric' and metric.get('ann_file')
        and not metric.get('format_only')
        for metric in ([metrics] if isinstance(metrics, dict) else metrics))


def check(split: str, dataset: BaseDataset, cfg: Config, console: Console,
          workers: int) -> Tuple[List[str], Optional[Sequence[str]]]:
    """Check one dataset; return its faults, a line each, and its classes."""
    faults, classes = [], None
    missing = sorted(set(missing_files(dataset)))
    if not missing:
        try:
            classes = check_samples(
                dataset,
                count_classes(cfg.get('model') or {}),
                evaluated=is_evaluated(cfg, split))
        except UserError as error:
            faults.append(str(error))
    pictures = {
        path
        for part in parts(dataset) if reads_pictures(part)
        for path in files(part, ['img_path'])
    }
    paths = sorted(pictures.difference(missing))
    readable = each(is_readable, paths, f'{split}, {type(dataset).__name__}',
                    workers, console)
    faults += [f'missing: {path}' for path in missing]
    broken = {path for path, whole in zip(paths, readable) if not whole}
    faults += [f'not a whole image: {path}' for path in sorted(broken)]
    named = broken.union(missing)
    pairs = [(*pair, known_labels(part)) for part in parts(dataset)
             for pair in masks(part) if not named.intersection(pair)]
    if pairs:
        faults += each(mask_fault, pairs, f'{split}, masks', workers, console)
    faults = [fault for fault in dict.fromkeys(faults) if fault]
    console.print(f'{split}: {type(dataset).__name__}, {len(dataset)} images, '
                  f'{len(faults)} faults')
    return faults, classes


def is_readable(path: str) -> bool:
    """Whether an image can be decoded to its end."""
    # OpenCV fills what a cut-off JPEG lacks with grey; Pillow does not.
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True


def mask_fault(pair: tuple) -> str:
    """Say what is wrong with a mask, if anything is."""
    try:
        read_labels(*pair)
    except UserError as error:
        return str(error)
    return ''


def each(function: Callable, items: list, title: str, workers: int,
         console: Console) -> list:
    """Call a function with each item, several at a time."""
    with ThreadPoolExecutor(workers) as pool:
        return list(
            track(
                pool.map(function, items),
                title,
                total=len(items),
                console=console))


def main(argv: Optional[Sequence[str]] = None) -> int:
    args = parse_args(argv)
    cfg = read_config(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    console = Console()
    faults: List[str] = []
    built, classes = {}, {}
    datasets = datasets_of(cfg)
    if not datasets:
        raise UserError(f'{args.config} has no train_, val_ or '
                        'test_dataloader: there is nothing to check.')
    for split, dataset_cfg in datasets.items():
        try:
            built[split] = build_dataset(dataset_cfg)
            found, classes[split] = check(split, built[split], cfg, console,
                                          max(1, args.workers or 1))
            faults += found
        except UserError as error:
            faults.append(str(error))
    if {'train', 'val'} <= set(built):
        try:
            check_agreement(built['train'], built['val'], classes['train'],
                            classes['val'])
        except UserError as error:
            faults.append(str(error))
    for fault in faults[:SHOWN]:
        console.print(fault, soft_wrap=True, markup=False, highlight=False)
    if len(faults) > SHOWN:
        console.print(f'... and {len(faults) - SHOWN} more')
    return int(bool(faults))


if __name__ == '__main__':
    sys.exit(main())
