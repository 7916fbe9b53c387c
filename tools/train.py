# Copyright (c) gld_mm authors. All rights reserved.
"""Train a teacher, a baseline or a distilled student from a config."""
import argparse
import os
import os.path as osp
from typing import Optional, Sequence

from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS

import gld_mm  # noqa: F401
from gld_mm.config import distill, read_config
from gld_mm.config.read import is_distilled
from gld_mm.engine.checkpoint import newest_checkpoint
from gld_mm.errors import UserError

PLACE = 'the network of the student'


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--teacher',
        help='distil this network into that of the config: a config, or the '
        "name of a model of the host's zoo")
    parser.add_argument(
        '--teacher-ckpt',
        help="the teacher's weights; by default those that the zoo publishes")
    parser.add_argument(
        '--teacher-classes',
        nargs='+',
        type=lambda name: int(name) if name.isdecimal() else name,
        metavar='NAME',
        help="the teacher's name or label of each class of the student, if "
        'the teacher has more classes or another order')
    parser.add_argument(
        '--method',
        choices=['gld', 'kd'],
        default='gld',
        help='how to distil from --teacher')
    parser.add_argument(
        '--dump',
        help='write the config of the pair, which inherits the given one, to '
        'this file instead of training')
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints; by default work_dirs/ followed '
        'by the name of the config and, with --teacher, by _gld or _kd')
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
    args = parser.parse_args(argv)
    if args.teacher is None and (args.teacher_ckpt or args.teacher_classes
                                 or args.dump or args.method != 'gld'):
        parser.error(
            '--teacher-ckpt, --teacher-classes, --method and --dump need '
            '--teacher. For a config that has a teacher use --cfg-options '
            'model.teacher_ckpt=FILE.')
    if args.dump and (args.amp or args.auto_scale_lr or args.no_validate or
                      args.resume or args.work_dir or args.launcher != 'none'):
        parser.error('--dump writes the config of the pair alone: give all '
                     'but --cfg-options when you train it.')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Write the other arguments into the config."""
    cfg.launcher = args.launcher
    cfg.setdefault('runner_type', 'CheckedRunner')
    name = osp.splitext(osp.basename(args.config))[0]
    if args.teacher is not None:
        name = f'{name}_{args.method}'
    cfg.work_dir = (
        args.work_dir or cfg.get('work_dir') or osp.join('work_dirs', name))
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
        if not (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
            raise UserError(
                '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...)'
                ' in the config: the batch size of its learning rate.')
        cfg.auto_scale_lr.enable = True
    return cfg


def write_pair(cfg: Config, student: str, path: str) -> None:
    """Write the config of a pair as one that inherits the student's."""
    base = student if '::' in student else osp.abspath(student)
    if osp.exists(path) and osp.realpath(path) == osp.realpath(base):
        raise UserError(f'--dump {path} would overwrite the config that the '
                        'pair inherits: name another file.')
    os.makedirs(osp.dirname(path) or '.', exist_ok=True)
    if '::' not in student and Config._is_lazy_import(base):
        cfg.dump(path)  # Text cannot inherit a new-style config.
        return
    alone = read_config(student)
    inherited, network = '_base_.model', alone.model
    if is_distilled(alone):
        inherited, network = f'{inherited}.architecture', network.architecture
    changed = {
        key: value
        for key, value in cfg.to_dict().items() if value != alone.get(key)
    }
    added = ''.join(f', {key}={value!r}'
                    for key, value in cfg.model.architecture.to_dict().items()
                    if value != network.get(key))
    changed['model'].update(_delete_=True, architecture=PLACE)
    text = Config(changed).pretty_text.replace(
        repr(PLACE), f'dict({inherited}{added})')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'_base_ = {base!r}\n\n{text}')


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse_args(argv)
    cfg = read_config(args.config)
    if args.teacher is not None:
        cfg = distill(cfg, args.teacher, args.teacher_ckpt, args.method,
                      args.teacher_classes)
        if cfg.get('work_dir'):  # Not the folder of the student alone
            cfg.work_dir = f'{cfg.work_dir.rstrip("/")}_{args.method}'
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.dump is not None:
        write_pair(cfg, args.config, args.dump)
        return
    RUNNERS.build(merge_args(cfg, args)).train()


if __name__ == '__main__':
    main()
