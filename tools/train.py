# Copyright (c) gld_mm authors. All rights reserved.
"""Train a teacher, a baseline or a distilled student from a config."""
import argparse
import os
import sys

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import gld_mm  # noqa: F401
from gld_mm.engine.hooks import DataCheckHook
from gld_mm.utils import default_work_dir, newest_checkpoint
from gld_mm.utils.data_check import (DataError, check_layout, dataset_cfgs,
                                     head_classes)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints; by default work_dirs/ followed '
        'by the path of the config below configs/')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='continue from the newest checkpoint of the work dir, or from '
        'the checkpoint given')
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not validate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate to the actual total batch size')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config: key=value, key.sub=value, '
        'key="[a,b]"')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Write the command line into the config."""
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(
        args.config)
    if args.resume:
        # Without a whole checkpoint the run starts anew.
        cfg.load_from = newest_checkpoint(
            cfg.work_dir) if args.resume == 'auto' else args.resume
        cfg.resume = cfg.load_from is not None
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


def main() -> None:
    args = parse_args()
    cfg = merge_args(Config.fromfile(args.config), args)
    try:
        for dataset in dataset_cfgs(cfg).values():
            check_layout(dataset)
        runner = Runner.from_cfg(cfg)
        runner.register_hook(DataCheckHook(head_classes(cfg)))
        runner.train()
    except DataError as error:
        sys.exit(str(error))


if __name__ == '__main__':
    main()
