# Copyright (c) gld_mm authors. All rights reserved.
"""Train a teacher, a baseline or a distilled student from a config."""
import argparse
import os
from typing import Optional

from mmengine.config import Config, DictAction
from mmengine.runner import BaseLoop, Runner

import gld_mm  # noqa: F401
from gld_mm.engine.hooks import DataCheckHook
from gld_mm.models.algorithms.teacher_checkpoint import check_teacher_exists
from gld_mm.utils import (check_optimizer, default_work_dir, end_processes,
                          keep_workers, launch_on_cpu, newest_checkpoint,
                          one_line_errors, read_config)
from gld_mm.utils.checkpoint import check_fits
from gld_mm.utils.data_check import check_layout, dataset_cfgs, head_classes


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
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(
        args.config)
    if args.resume:
        # Without a whole checkpoint the run starts as without --resume.
        checkpoint = newest_checkpoint(
            cfg.work_dir) if args.resume == 'auto' else args.resume
        cfg.resume = checkpoint is not None
        cfg.load_from = checkpoint or cfg.get('load_from')
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    return cfg


def has_stepped(runner: Optional[Runner]) -> bool:
    """Whether training has begun; runner.iter would build the loop."""
    loop = getattr(runner, '_train_loop', None)
    return isinstance(loop, BaseLoop) and loop.iter > 0


def main() -> None:
    with one_line_errors('The command line cannot be read'):
        args = parse_args()
    with one_line_errors(f'{args.config} cannot be read'):
        cfg = merge_args(read_config(args.config), args)
    runner = None
    with one_line_errors(
            f'{args.config} cannot be trained',
            cfg.work_dir,
            until=lambda: has_stepped(runner)):
        check_optimizer(cfg)
        for dataset in dataset_cfgs(cfg).values():
            check_layout(dataset)
        if cfg.model.get('teacher_ckpt'):
            check_teacher_exists(cfg.model.teacher_ckpt,
                                 cfg.model.get('teacher_config'))
        keep_workers(cfg)
        launch_on_cpu(cfg)
        runner = Runner.from_cfg(cfg)
        runner.register_hook(DataCheckHook(head_classes(cfg)))
        if cfg.resume:
            check_fits(runner.model, cfg.load_from)
        runner.train()
    runner = None
    end_processes()


if __name__ == '__main__':
    main()
