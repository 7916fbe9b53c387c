# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.config import Config

from gld_mm.config import leaf_datasets, model_of, read_config, student_of
from gld_mm.config.read import count_classes
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
    cfg.model, cfg.default_hooks = dict(
        type='mmrazor.GLDDistill', architecture=dict(type='A')), None
    assert student_of(cfg).model == dict(type='A')


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


@pytest.mark.parametrize('own, seen', [
    (dict(), [1.]),
    (dict(data_preprocessor=dict(mean=[2.])), [2.]),
])
def test_a_network_gets_the_preprocessor_of_its_config_unless_it_has_one(
        own, seen):
    cfg = Config(
        dict(
            default_scope='mmpretrain',
            data_preprocessor=dict(mean=[1.]),
            model=dict(type='A', **own)))
    assert model_of(cfg) == dict(
        type='A', _scope_='mmpretrain', data_preprocessor=dict(mean=seen))
    assert cfg.model == dict(type='A', **own)


def test_a_network_keeps_its_own_scope():
    cfg = Config(
        dict(default_scope='mmpretrain', model=dict(type='A', _scope_='b')))
    assert model_of(cfg) == dict(type='A', _scope_='b')


def test_a_student_may_be_named_by_the_config_that_trains_it():
    path = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
    cfg = Config(
        dict(
            model=dict(
                type='mmrazor.GLDDistill',
                architecture=dict(cfg_path=path, pretrained=False),
                teacher=dict(type='T'))))
    assert student_of(cfg).model == model_of(read_config(path))


def test_a_dataset_of_datasets_has_the_innermost_as_leaves():
    first, second, third = dict(type='A'), dict(type='B'), dict(type='C')
    repeated = dict(type='RepeatDataset', times=2, dataset=second)
    nested = dict(type='ConcatDataset', datasets=[repeated, third])
    assert leaf_datasets(dict(type='ConcatDataset',
                              datasets=[first,
                                        nested])) == [first, second, third]
    assert leaf_datasets(first) == [first]


@pytest.mark.parametrize('model, classes', [
    (dict(head=dict(num_classes=7)), 7),
    (dict(architecture=dict(head=dict(num_classes=7)), teacher={}), 7),
    (dict(decode_head=[dict(
        num_classes=8), dict(num_classes=7)]), 7),
    (dict(decode_head=dict(kernel_generate_head=dict(num_classes=7))), 7),
    (dict(type='TimmClassifier', num_classes=7), 7),
    (dict(bbox_head=dict(num_classes=7), language_model=dict()), None),
    (dict(head=dict(type='MAEPretrainHead')), None),
    (dict(head=None), None),
    (dict(), None),
])
def test_the_classes_of_a_head_are_counted(model, classes):
    assert count_classes(model) == classes
