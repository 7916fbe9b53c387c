# Copyright (c) gld_mm authors. All rights reserved.
"""The shipped configs and their networks, each made once in a session."""
import copy
from functools import lru_cache, partial
from pathlib import Path
from typing import List, Union
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import nn

ROOT = Path(__file__).parents[1] / 'configs'

# For each base like mmseg::x.py mmengine reads all metafiles of the host.
_find_once = mock.patch.object(
    Config, '_get_cfg_path',
    staticmethod(lru_cache(None)(Config._get_cfg_path)))


def host_of(name: str) -> str:
    """The package whose models a config trains."""
    if 'ssd300' in name:
        return 'mmdet'
    return 'mmseg' if 'deeplabv3plus' in name else 'mmpretrain'


def names(*hosts: str) -> List[str]:
    """Configs that can be trained, such as ``gld/r110_r20_cifar100.py``.

    Args:
        *hosts (str): Only those of these packages. By default all.

    Returns:
        list[str]: Paths below ``configs/``.
    """
    paths = (str(path.relative_to(ROOT)) for path in ROOT.glob('*/*.py'))
    return sorted(
        path for path in paths if not path.startswith('_base_') and (
            not hosts or host_of(path) in hosts))


def read(path: Union[Path, str]) -> Config:
    """Read a config anywhere."""
    with _find_once:
        return Config.fromfile(path)


@lru_cache(None)
def _read_shipped(name: str) -> Config:
    return read(ROOT / name)


def load(name: str) -> Config:
    """A copy of a shipped config."""
    return copy.deepcopy(_read_shipped(name))


def build_on_meta(cfg: Config) -> nn.Module:
    """Build a model as the runner does, but without memory or weights.

    Args:
        cfg (Config): A config. A teacher's checkpoint is not read.

    Returns:
        nn.Module: The model, whose layers have names and shapes.
    """
    init_default_scope(cfg.default_scope)
    if 'teacher' in cfg.model:
        cfg.model.teacher_ckpt = None
        cfg.model.map_teacher_input = False  # It would read the means.
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    # mmpretrain's ResNet reads the rates of DropPath.
    linspace = mock.patch('torch.linspace',
                          partial(torch.linspace, device='cpu'))
    with torch.device('meta'), linspace:
        model = MODELS.build(cfg.model)
    return model.to('meta')  # mmdet's layers of torch.Tensor(n), too


@lru_cache(None)
def on_meta(name: str) -> nn.Module:
    """The model of a shipped config, which all callers share."""
    return build_on_meta(load(name))


def count(network: nn.Module) -> int:
    """Number of parameters."""
    return sum(p.numel() for p in network.parameters())
