# Copyright (c) gld_mm authors. All rights reserved.
"""The configs of classification; test_configs_det.py has the detectors'."""
import copy
from functools import lru_cache
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

ROOT = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.glob('*/*.py')
    if path.parent.name != '_base_' and not path.stem.startswith(
        ('ssd300', 'deeplabv3plus')))
METHODS = ('kd', 'gld', 'ablation')
IN1K = ('https://download.openmmlab.com/mmclassification/v0/resnet/'
        'resnet34_8xb32_in1k_20210831-f257d4e6.pth')


@lru_cache(None)
def _load(name):
    return Config.fromfile(ROOT / name)


def load(name):
    return copy.deepcopy(_load(str(name)))


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


@pytest.mark.parametrize('name', LEAVES)
def test_workers_are_seeded_once_and_so_crop_otherwise_in_each_epoch(name):
    cfg = load(name)
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        assert loader.num_workers == 0 or loader.persistent_workers


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.split('/')[0] in METHODS])
def test_a_distillation_config_names_a_teacher_config_of_its_network(name):
    cfg = load(name)
    path = Path(cfg.model.teacher_config)
    assert path.parts[0] == 'configs'
    teacher = load(path.relative_to('configs'))
    for part, settings in cfg.model.teacher.items():
        if part == 'type':
            assert teacher.model.type == settings
        else:
            assert settings.items() <= teacher.model[part].items()
    epochs = teacher.train_cfg.max_epochs
    trained = Path('work_dirs', path.parent.name, path.stem,
                   f'epoch_{epochs}.pth')
    assert cfg.model.teacher_ckpt in (str(trained), IN1K)


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.split('/')[0] == 'gld'])
def test_kd_differs_from_gld_in_the_method_only(name):
    gld, kd = load(name), load(name.replace('gld', 'kd', 1))
    kd.pop('kd')
    assert kd.model.architecture.head.loss.pop('loss_weight') == 0.1
    assert gld.model.architecture.head.loss.pop('loss_weight') == 1
    assert kd.model.pop('distiller') != gld.model.pop('distiller')
    assert kd.to_dict() == gld.to_dict()


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.split('/')[0] == 'gld'])
def test_the_baseline_is_the_student_of_gld_trained_alone(name):
    gld = load(name)
    student = name.split('/')[1].split('_', 1)[1]
    baseline = load(f'baseline/{student}')
    assert gld.model.architecture == baseline.model
    assert gld.default_hooks.pop('teacher_val')
    gld.pop('model'), baseline.pop('model')
    assert gld.to_dict() == baseline.to_dict()


@pytest.mark.parametrize('name',
                         [n for n in LEAVES if n.startswith('ablation')])
def test_an_ablation_differs_from_gld_in_the_terms_of_its_name_only(name):
    terms, pair = name.split('/')[1].split('_', 1)
    ablated, gld = load(name), load(f'gld/{pair}')
    weights = {'global': 0.7, 'local': 1, 'relation': 500}
    left = ablated.model.pop('distiller')
    assert [left.alpha, left.get('gamma', 1), left.beta] == [
        weight if term in terms.split('-') else 0
        for term, weight in weights.items()
    ]
    gld.model.pop('distiller')
    assert ablated.to_dict() == gld.to_dict()


def recipe(cfg):
    optimizer = cfg.optim_wrapper.optimizer
    return (optimizer.type, optimizer.lr, optimizer.momentum,
            optimizer.weight_decay, cfg.train_cfg.max_epochs,
            cfg.train_dataloader.batch_size, cfg.param_scheduler.milestones,
            cfg.param_scheduler.gamma)


@pytest.mark.parametrize('name', [
    n for n in LEAVES
    if n.endswith('cifar100.py') and not n.startswith('transfer')
])
def test_the_recipe_of_cifar100_is_that_of_the_paper(name):
    cfg = load(name)
    assert recipe(cfg) == ('SGD', 0.1, 0.9, 5e-4, 200, 64, [100, 150], 0.1)
    crop, flip, _ = cfg.train_pipeline
    assert (crop.type, crop.crop_size, crop.padding) == ('RandomCrop', 32, 4)
    assert (flip.type, flip.prob) == ('RandomFlip', 0.5)


# Table 1 in millions of parameters, teacher and student, to its precision.
# The paper has 2.73 for WRN-16-4, which is that of a network without 1x1
# shortcuts; its WRN-22-4 is one with them.
@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('pair, teacher, student', [
    ('r110_r20', 1.7, 0.28),
    ('wrn16-2_wrn16-1', 0.7, 0.18),
    ('wrn22-4_wrn16-2', 4.32, 0.7),
    ('wrn16-4_r32', 2.77, 0.47),
])
def test_a_setup_has_the_sizes_of_table_1(pair, teacher, student):
    model = build(load(f'gld/{pair}_cifar100.py'))
    for network, millions in ((model.teacher, teacher), (model.student,
                                                         student)):
        digits = len(str(millions).split('.')[1])
        count = sum(p.numel() for p in network.parameters())
        assert round(count / 1e6, digits) == millions


def test_a_config_on_imagenet_has_the_recipe_of_crd():
    for name in ('teachers/r34_in1k.py', 'baseline/r18_in1k.py',
                 'kd/r34_r18_in1k.py', 'gld/r34_r18_in1k.py'):
        cfg = load(name)
        # 8 GPUs of 32 images
        assert recipe(cfg) == ('SGD', 0.1, 0.9, 1e-4, 100, 32, [30, 60,
                                                                90], 0.1)
        assert cfg.auto_scale_lr.base_batch_size == 256


FINE_GRAINED = dict(flowers102=102, cars196=196, dogs120=120, cub200=200)


@pytest.mark.parametrize('data, classes', FINE_GRAINED.items())
def test_a_fine_grained_config_has_the_recipe_of_the_paper(data, classes):
    for name, lr in ((f'teachers/r34_{data}.py',
                      0.001), (f'baseline/r18_{data}.py',
                               0.05), (f'kd/r34_r18_{data}.py', 0.05),
                     (f'gld/r34_r18_{data}.py', 0.05)):
        cfg = load(name)
        assert recipe(cfg) == ('SGD', lr, 0.9, 5e-4, 200, 64, [60, 120,
                                                               180], 0.1)
        assert cfg.data_preprocessor.num_classes == classes
    assert cfg.model.teacher.head.num_classes == classes
    assert cfg.model.architecture.head.num_classes == classes
    assert 'init_cfg' not in cfg.model.architecture.backbone


@pytest.mark.parametrize('data', FINE_GRAINED)
def test_teachers_of_dogs_and_birds_train_their_classifier_only(data):
    cfg = load(f'teachers/r34_{data}.py')
    assert cfg.model.backbone.init_cfg.checkpoint == IN1K
    cfg.model.backbone.init_cfg = None
    model = build(cfg).train()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 36
    if data in ('dogs120', 'cub200'):
        assert trained == {'head.fc.weight', 'head.fc.bias'}
        assert not any(m.training for m in norms)
    else:
        assert len(trained) == len(list(model.parameters()))
        assert all(m.training for m in norms)
