# Copyright (c) gld_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmengine.runner import save_checkpoint
from mmpretrain.registry import MODELS

from gld_mm.utils import UserError

from ...conftest import classifier, distillation
from .test_teacher_val_hook import runner

pytest.importorskip('sklearn')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')

HOOK = [dict(type='PretrainedCheckHook')]


def pretrained(checkpoint, prefix='backbone.', **backbone):
    return classifier(
        num_classes=100,
        init_cfg=dict(
            type='Pretrained', checkpoint=str(checkpoint), prefix=prefix),
        **backbone)


@pytest.fixture
def checkpoint(tmp_path):
    """Weights of the classifier whose backbone is taken over."""
    torch.manual_seed(1)
    model = MODELS.build(classifier(num_classes=10))
    path = tmp_path / 'student.pth'
    save_checkpoint(dict(state_dict=model.state_dict()), str(path))
    return path


def train(folder, model):
    made = runner(folder / 'run', model, custom_hooks=HOOK)
    made.train()
    return made


def test_a_checkpoint_that_fits_is_loaded(tmp_path, checkpoint):
    cfg = pretrained(checkpoint, frozen_stages=3)
    model = train(tmp_path, cfg).model
    expected = torch.load(checkpoint, weights_only=True)['state_dict']
    for name, value in model.backbone.state_dict().items():
        assert value.equal(expected[f'backbone.{name}'])


@pytest.mark.parametrize('changes, message', [
    (dict(prefix='neck.'), 'lacks "neck.conv1.weight".*prefix is wrong'),
    (dict(depth=14), 'lacks "backbone.layer1.1'),
    (dict(in_channels=1), r'another network.*\(4, 3, 3, 3\) in the file'),
])
def test_one_that_does_not_is_an_error_before_training(tmp_path, checkpoint,
                                                       changes, message):
    cfg = pretrained(checkpoint)
    prefix = changes.pop('prefix', 'backbone.')
    cfg['backbone'].update(copy.deepcopy(changes))
    cfg['backbone']['init_cfg']['prefix'] = prefix
    with pytest.raises(UserError, match=f'backbone: pretrained.*{message}'):
        train(tmp_path, cfg)


def test_a_missing_one_names_the_config_that_makes_it(tmp_path):
    cfg = pretrained('work_dirs/gld/r110_r20_cifar100/epoch_200.pth')
    with pytest.raises(
            UserError,
            match='tools/train.py configs/gld/r110_r20_cifar100.py$'):
        train(tmp_path, cfg)


def test_a_missing_one_elsewhere_is_named(tmp_path):
    with pytest.raises(UserError, match='x.pth" does not exist.$'):
        train(tmp_path, pretrained(tmp_path / 'x.pth'))


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_that_of_a_teacher_without_teacher_ckpt_is_checked_too(
        tmp_path, checkpoint):
    cfg = distillation(
        architecture=classifier(num_classes=100),
        teacher=pretrained(checkpoint, prefix='neck.'))
    with pytest.raises(
            UserError, match='^teacher.backbone: .*lacks "neck.conv1.weight"'):
        train(tmp_path, cfg)
