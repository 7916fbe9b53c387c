# Copyright (c) gld_mm authors. All rights reserved.
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from gld_mm.engine.hooks import DataCheckHook
from gld_mm.errors import UserError

from ...conftest import KD, classifier, distillation
from .test_teacher_val_hook import gld, hooks, runner

pytest.importorskip('sklearn')
HOOK = [dict(type='DataCheckHook')]


def train(folder, num_classes, **changes):
    made = runner(
        folder,
        classifier(),
        custom_hooks=HOOK,
        cfg=Config(dict(model=classifier(num_classes=num_classes))),
        **changes)
    made.train()
    return made


def test_classes_that_differ_stop_the_run_before_its_first_step(tmp_path):
    with pytest.raises(
            UserError, match='NoisyDigits has 10 classes, the head 100'):
        train(tmp_path / 'run', 100)
    assert not list(tmp_path.glob('run/*.pth'))


@pytest.mark.parametrize('num_classes', [10, None])
def test_data_that_fit_are_trained_on(tmp_path, num_classes):
    assert train(tmp_path / 'run', num_classes).epoch == 1
    log, = tmp_path.rglob('*.log')
    assert 'Checking NoisyDigits, ' in log.read_text()


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_it_runs_before_the_teacher_is_measured(tmp_path):
    with pytest.raises(UserError, match='the head 100'):
        runner(
            tmp_path / 'run',
            gld(),
            default_hooks=hooks(),
            custom_hooks=HOOK,
            cfg=Config(
                dict(model=dict(architecture=classifier(
                    num_classes=100))))).train()
    assert not list((tmp_path / 'run').glob('*/vis_data/scalars.json'))


class Letters(Dataset):
    """Images of one label each, with names of the classes."""

    def __init__(self, *names):
        self.metainfo = dict(classes=names)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(
            inputs=torch.zeros(3, 16, 16, dtype=torch.uint8),
            data_samples=DataSample().set_gt_label(index % 2))


def letters(*names):
    return dict(
        batch_size=2,
        num_workers=0,
        dataset=Letters(*names),
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'))


def run(folder, train, val, model=None):
    made = runner(
        folder,
        model or classifier(num_classes=2),
        train_dataloader=letters(*train),
        val_dataloader=letters(*val),
        custom_hooks=HOOK)
    made.train()
    return made


def test_labels_of_training_and_validation_have_to_mean_the_same(tmp_path):
    with pytest.raises(
            UserError,
            match='^the validation set has other classes: "b" is label 1 of '
            'the training set and label 0 of the validation set. Give both'):
        run(tmp_path / 'a', 'ab', 'bz')
    assert run(tmp_path / 'b', 'ab', 'ab').epoch == 1


@pytest.mark.parametrize('reduced, fits', [
    ((True, False), False),
    ((False, True), False),
    ((True, True), True),
    ((None, False), True),
])
def test_masks_are_reduced_by_zero_in_both_or_in_neither(
        tmp_path, reduced, fits):
    loaders = [letters('a', 'b'), letters('a', 'b')]
    for loader, value in zip(loaders, reduced):
        if value is not None:
            loader['dataset'].reduce_zero_label = value
    made = runner(
        tmp_path,
        classifier(num_classes=2),
        train_dataloader=loaders[0],
        val_dataloader=loaders[1],
        custom_hooks=HOOK)
    if fits:
        made.train()
        assert made.epoch == 1
    else:
        with pytest.raises(UserError, match='their labels differ by one'):
            made.train()


def taught(folder, meta, **distiller):
    """A distillation by a teacher whose checkpoint names its classes."""
    folder.mkdir()
    torch.save(
        dict(
            state_dict=MODELS.build(classifier(14,
                                               num_classes=2)).state_dict(),
            meta=meta), folder / 't.pth')
    return distillation(
        architecture=classifier(num_classes=2),
        teacher=classifier(14, num_classes=2),
        teacher_ckpt=str(folder / 't.pth'),
        distiller={
            'type': 'mmrazor.GLDDistiller',
            **distiller
        })


def kd_by(loss):
    """KD by another loss of mmrazor."""
    losses = dict(loss_kl=dict(type=f'mmrazor.{loss}'))
    return {**KD, 'distill_losses': losses}


@pytest.mark.parametrize(
    'distiller', [dict(), KD, kd_by('CrossEntropyLoss')],
    ids=['gld', 'kd', 'ce'])
def test_a_teacher_of_the_same_classes_in_another_order_is_refused(
        tmp_path, mmpretrain_scope, distiller):
    meta = dict(dataset_meta=dict(classes=('b', 'a')))
    model = taught(tmp_path / 'a', meta, **distiller)
    with pytest.raises(
            UserError,
            match='^the teacher has the same classes in another order: "a" is '
            'label 0 of the dataset and label 1 of the teacher. Set '
            'teacher_classes'):
        run(tmp_path / 'b', 'ab', 'ab', model)


@pytest.mark.parametrize('meta', [
    dict(CLASSES=('b', 'a')),
    dict(dataset_meta=dict(CLASSES=('b', 'a'))),
])
def test_the_classes_of_a_checkpoint_of_an_older_host_count(
        tmp_path, mmpretrain_scope, meta):
    with pytest.raises(UserError, match='the teacher has the same classes'):
        run(tmp_path / 'b', 'ab', 'ab', taught(tmp_path / 'a', meta))


@pytest.mark.parametrize('classes, distiller', [
    (('a', 'b'), dict()),
    (('b', 'a', 'c'), dict(alpha=0, gamma=0)),
    (('b', 'a'), dict(alpha=0, gamma=0)),
])
def test_one_whose_labels_are_not_compared_or_are_the_same_teaches(
        tmp_path, mmpretrain_scope, classes, distiller):
    meta = dict(dataset_meta=dict(classes=classes))
    model = taught(tmp_path / 'a', meta, **distiller)
    assert run(tmp_path / 'b', 'ab', 'ab', model).epoch == 1
    log, = (tmp_path / 'b').rglob('*.log')
    # A relation does not depend on the order, but it may be a mistake.
    warns = classes == ('b', 'a')
    assert ('Set teacher_classes' in log.read_text()) == warns


@pytest.mark.parametrize('named', ['ab', 'ba'])
def test_a_teacher_may_name_its_classes_as_the_config_or_the_file_does(named):
    # mmdet labels in the order of COCO's file, here a, b.
    dataset = Letters(*'ba')
    teacher = SimpleNamespace(dataset_meta=dict(classes=tuple(named)))
    run = SimpleNamespace(
        model=SimpleNamespace(teacher=teacher),
        train_loop=SimpleNamespace(
            dataloader=SimpleNamespace(dataset=dataset)))
    DataCheckHook()._check_teacher(run, ['a', 'b'])
