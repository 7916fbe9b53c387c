# Copyright (c) gld_mm authors. All rights reserved.
"""The configs of classification; test_configs_det.py has the detectors'."""
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from torch import nn

from .configs import ROOT, count, host_of, load, names, on_meta, read

INSTALLED = [n for n in names() if find_spec(host_of(n))]
LEAVES = names('mmpretrain')
GLD = [n for n in LEAVES if n.startswith('gld/')]
TAUGHT = [n for n in LEAVES if n.startswith(('gld/', 'kd/'))]
IN1K = ('https://download.openmmlab.com/mmclassification/v0/resnet/'
        'resnet34_8xb32_in1k_20210831-f257d4e6.pth')


def kd_of(gld):
    """Name of the KD config of the same pair."""
    return gld.replace('gld/', 'kd/kd_')


def test_names_are_unique_so_that_no_two_configs_share_a_work_dir():
    stems = [Path(name).stem for name in names()]
    assert len(set(stems)) == len(stems)


@pytest.mark.parametrize('name', INSTALLED)
def test_every_config_has_the_hooks_of_this_repository(name):
    cfg = load(name)
    types = [hook.type for hook in cfg.custom_hooks]
    assert types[-len(cfg.gld_custom_hooks):] == [
        hook.type for hook in cfg.gld_custom_hooks
    ]
    assert {'EpochSeedHook', 'FiniteLossHook',
            'PretrainedCheckHook'} <= set(types)
    assert cfg.default_hooks.teacher_val.type == 'mmrazor.TeacherValHook'
    assert cfg.default_hooks.checkpoint.max_keep_ckpts == 3


@pytest.mark.parametrize(
    'name', ['gld/r110_r20_cifar100.py', 'kd/kd_ssd300_r34_r18_voc.py'])
def test_a_pair_that_is_dumped_or_inherited_elsewhere_is_the_same(
        name, tmp_path):
    if name not in INSTALLED:
        pytest.skip(f'{host_of(name)} is not installed')
    cfg = load(name)
    cfg.dump(tmp_path / 'dumped.py')
    (tmp_path / 'heir.py').write_text(f"_base_ = '{ROOT / name}'")
    (tmp_path / 'linked').symlink_to(ROOT)
    shutil.copytree(ROOT, tmp_path / 'site' / 'configs')
    assert 'fromfile' not in (tmp_path / 'dumped.py').read_text()
    for path in ('dumped.py', 'heir.py', f'linked/{name}',
                 f'site/configs/{name}'):
        assert read(tmp_path / path).to_dict() == cfg.to_dict()


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('name', LEAVES)
def test_every_config_builds_its_model(name):
    assert list(on_meta(name).parameters())


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


@pytest.mark.parametrize('name', TAUGHT)
def test_the_teacher_is_the_network_that_its_config_trains(name):
    cfg = load(name)
    path = Path(cfg.model.teacher_config)
    assert path.parts[0] == 'configs'
    trained = load(str(path.relative_to('configs')))
    teacher = cfg.model.teacher
    assert teacher.backbone.get('init_cfg') is None
    trained.model.backbone.pop('init_cfg', None)
    teacher.backbone.pop('init_cfg', None)
    assert teacher == trained.model
    epochs = trained.train_cfg.max_epochs
    assert cfg.model.teacher_ckpt in (
        f'work_dirs/{path.stem}/epoch_{epochs}.pth', IN1K)


@pytest.mark.parametrize('name', GLD)
def test_kd_differs_from_gld_in_the_method_only(name):
    gld, kd = load(name), load(kd_of(name))
    kd.pop('kd')
    assert kd.model.pop('task_loss_weight') == 0.1
    assert kd.model.architecture.head.loss.loss_weight == 1
    assert kd.model.pop('type') == 'mmrazor.FrozenTeacherDistill'
    assert gld.model.pop('type') == 'mmrazor.GLDDistill'
    assert kd.model.pop('distiller') != gld.model.pop('distiller')
    assert kd.to_dict() == gld.to_dict()


@pytest.mark.parametrize('name', GLD)
def test_the_baseline_is_the_student_of_gld_trained_alone(name):
    gld = load(name)
    student = name.split('/')[1].split('_', 1)[1]
    baseline = load(f'baseline/{student}')
    assert gld.model.architecture == baseline.model
    gld.pop('model'), baseline.pop('model')
    assert gld.to_dict() == baseline.to_dict()


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
    model = on_meta(f'gld/{pair}_cifar100.py')
    for network, millions in ((model.teacher, teacher), (model, student)):
        digits = len(str(millions).split('.')[1])
        assert round(count(network) / 1e6, digits) == millions


def test_a_config_on_imagenet_has_the_recipe_of_crd():
    for name in ('baseline/r34_in1k.py', 'baseline/r18_in1k.py',
                 'kd/kd_r34_r18_in1k.py', 'gld/r34_r18_in1k.py'):
        cfg = load(name)
        # 8 GPUs of 32 images
        assert recipe(cfg) == ('SGD', 0.1, 0.9, 1e-4, 100, 32, [30, 60,
                                                                90], 0.1)
        assert cfg.auto_scale_lr.base_batch_size == 256


FINE_GRAINED = dict(flowers102=102, cars196=196, dogs120=120, cub200=200)


@pytest.mark.parametrize('data, classes', FINE_GRAINED.items())
def test_a_fine_grained_config_has_the_recipe_of_the_paper(data, classes):
    for name, lr in ((f'baseline/r34_{data}.py',
                      0.001), (f'baseline/r18_{data}.py',
                               0.05), (f'kd/kd_r34_r18_{data}.py', 0.05),
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
    cfg = load(f'baseline/r34_{data}.py')
    assert cfg.model.backbone.init_cfg.checkpoint == IN1K
    model = on_meta(f'baseline/r34_{data}.py').train()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 36
    if data in ('dogs120', 'cub200'):
        assert trained == {'head.fc.weight', 'head.fc.bias'}
        assert not any(m.training for m in norms)
    else:
        assert len(trained) == len(list(model.parameters()))
        assert all(m.training for m in norms)
