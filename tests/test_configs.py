# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

ROOT = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.glob('*/*.py')
    if path.parent.name != '_base_')
METHODS = ('kd', 'gld')


def load(name):
    return Config.fromfile(ROOT / name)


def build(cfg):
    init_default_scope(cfg.default_scope)
    if 'teacher' in cfg.model:
        cfg.model.teacher_ckpt = None
    return MODELS.build(
        dict(cfg.model, data_preprocessor=cfg.data_preprocessor))


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('name', LEAVES)
def test_every_config_builds_its_model(name):
    assert list(build(load(name)).parameters())


@pytest.mark.parametrize('name', LEAVES)
def test_every_config_says_where_to_import_from_and_names_its_pipelines(name):
    cfg = load(name)
    assert cfg.custom_imports.imports == ['gld_mm']
    for split in ('train', 'test'):
        pipeline = cfg[f'{split}_pipeline']
        used = cfg[f'{split}_dataloader'].dataset.pipeline
        assert [t.type for t in pipeline] == [t.type for t in used]


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.split('/')[0] in METHODS])
def test_a_distillation_config_names_a_teacher_config_of_its_network(name):
    cfg = load(name)
    path = Path(cfg.model.teacher_config)
    assert path.parts[0] == 'configs'
    teacher = load(path.relative_to('configs'))
    for part in ('type', 'backbone', 'neck'):
        assert teacher.model[part] == cfg.model.teacher[part]
    for key in ('type', 'num_classes', 'in_channels'):
        assert teacher.model.head[key] == cfg.model.teacher.head[key]
    epochs = teacher.train_cfg.max_epochs
    assert cfg.model.teacher_ckpt == str(
        Path('work_dirs', path.parent.name, path.stem, f'epoch_{epochs}.pth'))


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.split('/')[0] == 'gld'])
def test_kd_differs_from_gld_in_the_method_only(name):
    gld, kd = load(name), load(name.replace('gld', 'kd', 1))
    kd.pop('kd')
    assert kd.model.architecture.head.loss.pop('loss_weight') == 0.1
    assert gld.model.architecture.head.loss.pop('loss_weight') == 1
    assert kd.model.pop('distiller') != gld.model.pop('distiller')
    assert kd.to_dict() == gld.to_dict()


@pytest.mark.parametrize('name', [
    'teachers/r110_cifar100.py', 'baseline/r20_cifar100.py',
    'kd/r110_r20_cifar100.py', 'gld/r110_r20_cifar100.py'
])
def test_the_recipe_of_cifar100_is_that_of_the_paper(name):
    cfg = load(name)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum,
            optimizer.weight_decay) == ('SGD', 0.1, 0.9, 5e-4)
    assert cfg.train_cfg.max_epochs == 200
    assert cfg.train_dataloader.batch_size == 64
    assert cfg.param_scheduler.milestones == [100, 150]
    assert cfg.param_scheduler.gamma == 0.1
    crop, flip, _ = cfg.train_pipeline
    assert (crop.type, crop.crop_size, crop.padding) == ('RandomCrop', 32, 4)
    assert (flip.type, flip.prob) == ('RandomFlip', 0.5)


def test_setup_a_is_resnet110_and_resnet20():
    cfg = load('gld/r110_r20_cifar100.py')
    assert cfg.model.teacher.backbone.depth == 110
    assert cfg.model.architecture.backbone.depth == 20
    distiller = cfg.model.distiller
    assert (distiller.alpha, distiller.beta, distiller.grid) == (0.7, 500, 2)
