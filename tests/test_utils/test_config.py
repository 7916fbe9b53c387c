# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.config import Config

from gld_mm.utils import default_work_dir, student_of


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
