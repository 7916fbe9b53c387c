# Copyright (c) gld_mm authors. All rights reserved.
"""Test a network from its config and checkpoint.

A distillation config tests its student; the teacher is not built.
"""
import argparse
import os
import os.path as osp
from typing import Dict, List, Optional, Sequence

import mmengine
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric, DumpResults
from mmengine.registry import RUNNERS

import gld_mm  # noqa: F401
from gld_mm.config import read_config, student_of
from gld_mm.config.read import leaf_datasets, model_of, type_name
from gld_mm.errors import UserError

# What the hosts' test.py takes for --tta where the config says nothing
TTA_MODELS: Dict[Optional[str], dict] = dict(
    mmpretrain=dict(type='AverageClsScoreTTA'),
    mmseg=dict(type='SegTTAModel'),
    mmdet=dict(
        type='DetTTAModel',
        tta_cfg=dict(nms=dict(type='nms', iou_threshold=0.5),
                     max_per_img=100)))


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or URL of the checkpoint')
    parser.add_argument(
        '--work-dir',
        help='folder of logs; by default work_dirs/ followed by the name of '
        'the config')
    parser.add_argument(
        '--out',
        help='file for predictions (*.pkl) or metrics (*.json); with mmseg, '
        'folder for predicted masks')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what to write to --out; by default predictions')
    parser.add_argument(
        '--amp', action='store_true', help='test in mixed precision')
    parser.add_argument(
        '--show-dir', help='folder for pictures of the predictions')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window')
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every so many images')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds to show each image')
    parser.add_argument(
        '--tta',
        action='store_true',
        help='test-time augmentation by tta_model and tta_pipeline of the '
        'config; without them, on each image and its mirror image')
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
    if args.out_item and not args.out:
        parser.error('--out-item needs --out FILE.')
    if args.interval < 1:
        parser.error('--interval should be at least 1.')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Write the command line into the config."""
    cfg.launcher = args.launcher
    cfg.setdefault('runner_type', 'CheckedRunner')
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or osp.join(
        'work_dirs',
        osp.splitext(osp.basename(args.config))[0])
    # The work dir keeps the config of the training.
    object.__setattr__(cfg, '_filename', f'test_{osp.basename(args.config)}')
    cfg.load_from = args.checkpoint
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir:
        show(cfg, args)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    cfg = student_of(cfg)
    if args.tta:
        augment(cfg)
    return cfg


def augment(cfg: Config) -> None:
    """Merge what the model predicts for augmented copies of each image."""
    model = cfg.get('tta_model') or TTA_MODELS.get(cfg.get('default_scope'))
    if model is None:
        raise UserError('--tta needs tta_model in the config.')
    if type_name(cfg.test_dataloader.dataset) == 'InMemoryDataset':
        raise UserError('--tta augments images one by one, InMemoryDataset '
                        'hands out batches: test with the dataset inside it.')
    for dataset in leaf_datasets(cfg.test_dataloader.dataset):
        dataset['pipeline'] = cfg.get('tta_pipeline') or mirror(
            dataset['pipeline'])
    module = model_of(cfg)
    # Else it would get the preprocessor of the runner.
    own = dict(data_preprocessor=module.get('data_preprocessor'))
    cfg.model = {**own, **model, 'module': module}


def mirror(pipeline: List[dict]) -> List[dict]:
    """Let a pipeline end with an image and its mirror image.

    The image comes first: metrics read the ground truth beside it.
    """
    *steps, pack = pipeline
    if 'meta_keys' in pack:
        flips = ('flip', 'flip_direction')
        pack = {**pack, 'meta_keys': (*pack['meta_keys'], *flips)}
    flip = [dict(type='RandomFlip', prob=prob) for prob in (0., 1.)]
    return [*steps, dict(type='TestTimeAug', transforms=[flip, [pack]])]


def show(cfg: Config, args: argparse.Namespace) -> None:
    """Turn the host's visualization hook on; each has settings of its own."""
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise UserError('--show and --show-dir need default_hooks.'
                        'visualization in the config.')
    hook.update(
        show=args.show, wait_time=args.wait_time, interval=args.interval)
    kind = type_name(hook)
    if kind == 'DetVisualizationHook':
        if args.interval > 1:
            raise UserError('mmdet draws every image: leave out --interval.')
        hook.update(draw=True, test_out_dir=args.show_dir)
    elif kind == 'SegVisualizationHook':
        hook.draw = True
        if args.show_dir:
            cfg.visualizer.save_dir = args.show_dir
    else:
        hook.update(enable=True, out_dir=args.show_dir)


def prepare_out(cfg: Config, args: argparse.Namespace) -> List[BaseMetric]:
    """Check --out; return the metric that writes predictions to this file."""
    if not args.out:
        return []
    wants_metrics = args.out_item == 'metrics'
    if cfg.get('default_scope') == 'mmseg' and not wants_metrics:
        # mmseg's metrics write masks to a folder. CityscapesMetric removes it
        # at the end if it is not told to keep it.
        metrics = cfg.test_evaluator
        for metric in metrics if isinstance(metrics, list) else [metrics]:
            metric.update(output_dir=args.out, keep_results=True)
        return []
    suffixes = ['.pkl', '.pickle']
    if wants_metrics:
        suffixes += ['.json', '.yaml', '.yml']
    if osp.splitext(args.out)[1] not in suffixes:
        raise UserError(
            f'--out {args.out} should end with {" or ".join(suffixes)}.')
    if wants_metrics:
        return []
    if cfg.get('default_scope') == 'mmdet':
        from mmdet.evaluation import DumpDetResults
        return [DumpDetResults(args.out)]
    return [DumpResults(args.out)]


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse_args(argv)
    cfg = merge_args(read_config(args.config), args)
    added = prepare_out(cfg, args)
    runner = RUNNERS.build(cfg)
    runner.test_evaluator.metrics += added
    metrics = runner.test()
    if args.out_item == 'metrics' and is_main_process():
        mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    main()
