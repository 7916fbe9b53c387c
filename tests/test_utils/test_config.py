# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.config import Config

from gld_mm.utils import (UserError, default_work_dir, keep_workers,
                          read_config, student_of)


@pytest.mark.parametrize('config, work_dir', [
    ('configs/gld/x.py', 'work_dirs/gld/x'),
    ('configs/kd/x.py', 'work_dirs/kd/x'),
    ('/elsewhere/configs/_mine_/x.py', 'work_dirs/_mine_/x'),
    ('/home/me/my_x.py', 'work_dirs/my_x'),
])
def test_siblings_of_the_same_name_do_not_share_a_work_dir(config, work_dir):
    assert default_work_dir(config) == work_dir


def test_a_distillation_config_becomes_its_students():
    cfg = Config(
        dict(
            model=dict(
                type='mmrazor.GLDDistill',
                architecture=dict(type='A'),
                teacher=dict(type='T'),
                data_preprocessor=dict(mean=[1.])),
            default_hooks=dict(timer=dict(), teacher_val=dict())))
    student = student_of(cfg)
    assert student.model == dict(type='A', data_preprocessor=dict(mean=[1.]))
    assert list(student.default_hooks) == ['timer']


def test_a_plain_config_is_left_alone():
    cfg = Config(dict(model=dict(type='A')))
    assert student_of(cfg).model == dict(type='A')


def test_bases_that_lead_in_a_circle_are_named(tmp_path):
    for name, base in dict(a='b', b='c', c='b').items():
        (tmp_path / f'{name}.py').write_text(f"_base_ = './{base}.py'")
    with pytest.raises(UserError, match='circle: .*b.py -> .*c.py -> .*b.py$'):
        read_config(tmp_path / 'a.py')


def test_a_base_that_two_configs_share_is_no_circle(tmp_path):
    (tmp_path / 'base.py').write_text('x = dict(y=1)')
    (tmp_path / 'a.py').write_text("_base_ = './base.py'\nz = 2")
    (tmp_path / 'b.py').write_text("_base_ = './base.py'\nx = dict(w=3)")
    (tmp_path / 'c.py').write_text("_base_ = './a.py'\nv = 4")
    assert read_config(tmp_path / 'b.py').x == dict(y=1, w=3)
    assert read_config(tmp_path / 'c.py').to_dict() == dict(
        x=dict(y=1), z=2, v=4)


def test_workers_live_on_unless_a_config_says_otherwise():
    cfg = Config(
        dict(
            train_dataloader=dict(num_workers=2),
            val_dataloader=dict(num_workers=2, persistent_workers=False),
            test_dataloader=dict(num_workers=0)))
    keep_workers(cfg)
    assert cfg.train_dataloader.persistent_workers
    assert not cfg.val_dataloader.persistent_workers
    assert 'persistent_workers' not in cfg.test_dataloader
