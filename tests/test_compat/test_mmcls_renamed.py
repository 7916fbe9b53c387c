# Copyright (c) gld_mm authors. All rights reserved.
import math
import subprocess
import sys
from importlib.util import find_spec

import mmpretrain
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmrazor.registry import MODELS as RAZOR_MODELS

pytestmark = pytest.mark.skipif(
    find_spec('mmcls') is not None, reason='mmcls is installed')
PATH = 'mmcls::resnet/resnet18_8xb16_cifar10.py'


def test_a_config_inherits_from_mmcls(tmp_path):
    (tmp_path / 'a.py').write_text(f'_base_ = "{PATH}"')
    cfg = Config.fromfile(tmp_path / 'a.py')
    assert cfg.model.backbone.type == 'ResNet_CIFAR'


def test_mmrazor_builds_a_network_of_mmcls_from_its_path():
    model = RAZOR_MODELS.build(dict(cfg_path=PATH))
    assert type(model) is mmpretrain.models.ImageClassifier


def test_a_module_is_found_under_the_name_of_mmcls():
    gap = MODELS.build(dict(type='mmcls.GlobalAveragePooling'))
    assert type(gap) is mmpretrain.models.GlobalAveragePooling


def test_the_soft_cross_entropy_is_that_of_the_definition():
    from mmrazor.models import KDSoftCELoss
    teacher = torch.tensor([[math.log(3.), 0.]])  # 3/4, 1/4
    student = torch.tensor([[math.log(9.), 0.]])  # 9/10, 1/10
    loss = KDSoftCELoss(loss_weight=2.)(student, teacher)
    expected = -2 * (0.75 * math.log(0.9) + 0.25 * math.log(0.1))
    assert loss.item() == pytest.approx(expected)


def test_a_config_does_not_inherit_from_mmcls_without_the_repair(tmp_path):
    (tmp_path / 'a.py').write_text(f'_base_ = "{PATH}"')
    run = subprocess.run([
        sys.executable, '-c', 'from mmengine.config import Config\n'
        f'Config.fromfile({str(tmp_path / "a.py")!r})'
    ],
                         capture_output=True,
                         text=True)
    assert 'mmcls is not installed' in run.stderr
