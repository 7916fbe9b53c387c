# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.config import Config

from gld_mm.config import read_config, student_of
from gld_mm.errors import UserError


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


def test_the_student_has_the_settings_that_it_is_trained_with():
    cfg = Config(
        dict(
            model=dict(
                type='mmrazor.GLDDistill',
                architecture=dict(type='A', data_preprocessor=dict(mean=[2.])),
                teacher=dict(type='T'),
                data_preprocessor=dict(mean=[1.]),
                task_loss_weight=1.,
                test_cfg=dict(mode='slide'))))
    assert student_of(cfg).model == dict(
        type='A',
        data_preprocessor=dict(mean=[2.]),
        test_cfg=dict(mode='slide'))


@pytest.mark.parametrize('model', [
    dict(type='A'),
    dict(
        type='mmrazor.SingleTeacherDistill',
        architecture=dict(type='A'),
        teacher=dict(type='T'))
])
def test_another_model_is_left_alone(model):
    assert student_of(Config(dict(model=model))).model == model


@pytest.mark.parametrize('text, message', [
    (None, 'a.py'),
    ('x = dict(', 'never closed'),
    ("_base_ = './none.py'", 'none.py'),
])
def test_a_config_that_cannot_be_read_is_one_line(tmp_path, text, message):
    if text is not None:
        (tmp_path / 'a.py').write_text(text)
    with pytest.raises(UserError, match=f'^The config .*a.py .*{message}'):
        read_config(tmp_path / 'a.py')


def test_a_base_that_two_configs_share_is_no_circle(tmp_path):
    (tmp_path / 'base.py').write_text('x = dict(y=1)')
    (tmp_path / 'a.py').write_text("_base_ = './base.py'\nz = 2")
    (tmp_path / 'b.py').write_text("_base_ = './base.py'\nx = dict(w=3)")
    (tmp_path / 'c.py').write_text("_base_ = './a.py'\nv = 4")
    assert read_config(tmp_path / 'b.py').x == dict(y=1, w=3)
    assert read_config(tmp_path / 'c.py').to_dict() == dict(
        x=dict(y=1), z=2, v=4)


@pytest.mark.parametrize('text, message', [
    ('model = dict(type=ResNet)', "name 'ResNet' is not defined"),
    ("_base_ = 'base.py'\nmodel = dict(arch=dict(depth=1))",
     'arch=.* cannot inherit from base'),
    ("_base_ = ['base.py', 'base.py']", 'Duplicate key'),
])
def test_a_config_that_cannot_be_read_is_one_line_that_names_it(
        tmp_path, text, message):
    (tmp_path / 'base.py').write_text("model = dict(arch='tiny')")
    path = tmp_path / 'mine.py'
    path.write_text(text)
    with pytest.raises(
            UserError,
            match=f'^The config {path} cannot be read: .*{message}'):
        read_config(str(path))


def test_what_a_module_of_the_user_raises_keeps_its_traceback(
        tmp_path, monkeypatch):
    (tmp_path / 'my_module_with_a_bug.py').write_text('1 + "a"')
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / 'mine.py'
    path.write_text("custom_imports = dict(imports=['my_module_with_a_bug'])")
    with pytest.raises(TypeError, match='unsupported operand'):
        read_config(str(path))
