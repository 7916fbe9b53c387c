# Copyright (c) gld_mm authors. All rights reserved.
"""Make a trained student a plain checkpoint and config of its host library.

    python tools/export_student.py configs/gld/ssd300_r34_r18_voc.py \
        work_dirs/gld/ssd300_r34_r18_voc/epoch_250.pth student.pth

student.pth holds the weights and the names of the classes, no optimizer and
no teacher; student.py is the config to test it with, for mmpretrain, mmdet or
mmsegmentation without gld_mm, unless the network is made of gld_mm's classes.
"""
import argparse
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import CheckpointLoader
from torch import nn

import gld_mm  # noqa: F401
from gld_mm.models.algorithms.teacher_checkpoint import describe_misfit
from gld_mm.utils import student_of

# What a host needs for inference and test
CONFIG_KEYS = ('default_scope', 'env_cfg', 'model', 'data_preprocessor',
               'test_pipeline', 'test_dataloader', 'test_evaluator',
               'test_cfg', 'visualizer', 'vis_backends', 'log_level')
META_KEYS = ('dataset_meta', 'epoch', 'iter', 'experiment_name', 'seed')


class ExportError(Exception):
    """Why a student cannot be exported, in one line."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='that the student was trained with')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', type=Path, help='the new checkpoint, *.pth')
    return parser.parse_args()


def export(config: str, checkpoint: str, out: Path) -> Path:
    """Write the plain checkpoint and, beside it, the config.

    Args:
        config (str): Path of the config of the training.
        checkpoint (str): Path or URL of its checkpoint.
        out (Path): Where the weights go.

    Returns:
        Path: The new config.

    Raises:
        ExportError: If a file is missing or the weights are of another
            network. An older ``out`` is then left as it is.
    """
    if out.suffix != '.pth':
        raise ExportError(f'{out} should end with .pth.')
    if not Path(config).is_file():
        raise ExportError(f'The config {config} does not exist.')
    cfg = student_of(Config.fromfile(config))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    weights = _load(checkpoint)
    state = {
        name: value.cpu()
        for name, value in weights.get('state_dict', weights).items()
    }
    misfit = describe_misfit(model, state)
    if misfit:
        raise ExportError(f'{checkpoint} {misfit}.'.replace(
            'the teacher', f'the student of {config}'))
    meta = weights.get('meta', {})
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix('.tmp')
    torch.save(
        dict(
            meta={key: meta[key]
                  for key in META_KEYS if key in meta},
            state_dict=state), temporary)
    _plain_config(cfg, model).dump(out.with_suffix('.py'))
    temporary.replace(out)
    return out.with_suffix('.py')


def _load(checkpoint: str) -> dict:
    try:
        return CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    except Exception as error:
        reason = ' '.join(str(error).split())
        raise ExportError(f'{checkpoint} cannot be read: {reason}') from error


def _plain_config(cfg: Config, model: nn.Module) -> Config:
    plain = {key: cfg[key] for key in CONFIG_KEYS if key in cfg}
    if any(type(m).__module__.startswith('gld_mm.') for m in model.modules()):
        plain['custom_imports'] = cfg.custom_imports
    # The weights come from the checkpoint alone.
    plain['model'].get('backbone', {}).pop('init_cfg', None)
    return Config(plain)


def main() -> None:
    args = parse_args()
    try:
        config = export(args.config, args.checkpoint, args.out)
    except ExportError as error:
        sys.exit(str(error))
    print(f'{args.out} and {config}')


if __name__ == '__main__':
    main()
