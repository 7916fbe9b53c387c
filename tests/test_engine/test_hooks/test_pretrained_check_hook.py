# Copyright (c) gld_mm authors. All rights reserved.
import copy
import re
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import BaseLoop, save_checkpoint
from mmpretrain.registry import MODELS

from gld_mm.engine.hooks import PretrainedCheckHook
from gld_mm.errors import UserError

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
    (dict(prefix='head.'),
     'lacks 27 of 27 weights, "conv1.weight" the first.*prefix is wrong'),
    (dict(depth=14), 'lacks 18 of 45 weights, "layer1.1.conv1.weight" the '),
    (dict(base_channels=8), r'another network.*\(16,\) in the file'),
])
def test_one_that_does_not_is_an_error_before_training(tmp_path, checkpoint,
                                                       changes, message):
    cfg = pretrained(checkpoint)
    prefix = changes.pop('prefix', 'backbone.')
    cfg['backbone'].update(copy.deepcopy(changes))
    cfg['backbone']['init_cfg']['prefix'] = prefix
    with pytest.raises(UserError, match=f'backbone: pretrained.*{message}'):
        train(tmp_path, cfg)


def test_a_prefix_that_is_not_in_the_file_is_mmengines_own_error(
        tmp_path, checkpoint):
    with pytest.raises(AssertionError, match='neck. is not in the pretrained'):
        train(tmp_path, pretrained(checkpoint, prefix='neck.'))


def test_a_missing_one_is_named(tmp_path):
    with pytest.raises(UserError, match='x.pth" does not exist.$'):
        train(tmp_path, pretrained(tmp_path / 'x.pth'))


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_that_of_a_teacher_without_teacher_ckpt_is_checked_too(
        tmp_path, checkpoint):
    cfg = distillation(
        architecture=classifier(num_classes=100),
        teacher=pretrained(checkpoint, prefix='head.'))
    with pytest.raises(
            UserError, match='^teacher.backbone: .*lacks 27 of 27 weights'):
        train(tmp_path, cfg)


def initialize(model):
    """Initialize a model under the hook; return the hook's warnings."""
    lines = []
    run = SimpleNamespace(
        model=model,
        _train_loop=Mock(spec=BaseLoop),
        logger=SimpleNamespace(warning=lines.append))
    hook = PretrainedCheckHook()
    hook.before_run(run)
    model.init_weights()
    hook.before_train(run)
    return lines


OFFICIAL = (('patch_embed.projection', 'patch_embed.proj'),
            ('stages.', 'layers.'), ('.attn.w_msa.', '.attn.'),
            ('ffn.layers.0.0.', 'mlp.fc1.'), ('ffn.layers.1.', 'mlp.fc2.'))


def test_weights_that_a_swin_transformer_converts_itself_pass(tmp_path):
    pytest.importorskip('mmdet')
    from mmdet.models.backbones import SwinTransformer

    def build(**kwargs):
        return SwinTransformer(
            pretrain_img_size=32,
            embed_dims=8,
            depths=(1, 1, 1, 1),
            num_heads=(1, 1, 1, 1),
            window_size=2,
            **kwargs)

    # As its authors publish it: other names, no norm of each stage
    state = {}
    for key, value in build().state_dict().items():
        for ours, theirs in OFFICIAL:
            key = key.replace(ours, theirs)
        if not re.match(r'norm\d', key):
            state[key] = value
    path = tmp_path / 'swin.pth'
    torch.save(dict(model=state), path)
    model = build(
        convert_weights=True,
        init_cfg=ConfigDict(type='Pretrained', checkpoint=str(path)))
    line, = initialize(model)
    assert 'lacks 8 of' in line and '"norm0.weight" the first' in line
    assert model.patch_embed.projection.weight.equal(
        state['patch_embed.proj.weight'])


def test_position_embeddings_of_another_image_size_pass(tmp_path):
    from mmpretrain.models import VisionTransformer
    arch = dict(
        embed_dims=8, num_layers=1, num_heads=1, feedforward_channels=16)
    path = tmp_path / 'vit.pth'
    small = VisionTransformer(arch, img_size=32, patch_size=8)
    torch.save(small.state_dict(), path)
    model = VisionTransformer(
        arch,
        img_size=64,
        patch_size=8,
        init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    assert initialize(model) == []
    assert model.pos_embed.shape == (1, 65, 8)
    assert model.layers[0].ffn.layers[0][0].weight.equal(
        small.layers[0].ffn.layers[0][0].weight)


def test_layers_that_are_not_pretrained_are_a_warning(tmp_path, checkpoint):
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    weights = {k: v for k, v in weights.items() if 'layer1.0.conv1' not in k}
    torch.save(weights, tmp_path / 'x.pth')
    line, = initialize(MODELS.build(pretrained(tmp_path / 'x.pth')))
    assert line.endswith(
        'lacks 1 of 27 weights or has them in another shape, '
        '"layer1.0.conv1.weight" the first: they start at random.')


def test_a_first_layer_for_other_channels_is_a_warning(checkpoint):
    model = MODELS.build(pretrained(checkpoint, in_channels=4))
    line, = initialize(model)
    assert 'lacks 1 of 27 weights or has them in another shape, "conv1' in line
    expected = torch.load(checkpoint, weights_only=True)['state_dict']
    assert model.backbone.bn1.weight.equal(expected['backbone.bn1.weight'])


def test_a_checkpoint_elsewhere_is_left_to_mmengine(tmp_path):
    model = MODELS.build(pretrained('s3://bucket/x.pth'))
    run = SimpleNamespace(model=model, _train_loop=Mock(spec=BaseLoop))
    PretrainedCheckHook().before_run(run)


def test_a_test_needs_no_pretrained_checkpoint(tmp_path):
    model = MODELS.build(pretrained(tmp_path / 'none.pth'))
    for loop in (None, dict(max_epochs=1)):
        run = SimpleNamespace(model=model, _train_loop=loop)
        PretrainedCheckHook().before_run(run)
