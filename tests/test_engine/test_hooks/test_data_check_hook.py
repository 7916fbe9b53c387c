# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.utils import UserError

from ...conftest import classifier
from .test_teacher_val_hook import gld, hooks, runner

pytest.importorskip('sklearn')


def train(folder, num_classes):
    made = runner(
        folder,
        classifier(num_classes=100),
        custom_hooks=[dict(type='DataCheckHook', num_classes=num_classes)])
    made.train()
    return made


def test_classes_that_differ_stop_the_run_before_its_first_step(tmp_path):
    with pytest.raises(
            UserError, match='TwoDigitNumbers has 100 classes, the '
            'head 10'):
        train(tmp_path / 'run', 10)
    assert not list(tmp_path.glob('run/*.pth'))


@pytest.mark.parametrize('num_classes', [100, None])
def test_data_that_fit_are_trained_on(tmp_path, num_classes):
    assert train(tmp_path / 'run', num_classes).epoch == 1


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_it_runs_before_the_teacher_is_measured(tmp_path):
    with pytest.raises(UserError, match='the head 10'):
        runner(
            tmp_path / 'run',
            gld(),
            default_hooks=hooks(),
            custom_hooks=[dict(type='DataCheckHook', num_classes=10)]).train()
    assert not list((tmp_path / 'run').glob('*/vis_data/scalars.json'))
