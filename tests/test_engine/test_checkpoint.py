# Copyright (c) gld_mm authors. All rights reserved.
from contextlib import nullcontext

import pytest
import torch
from mmengine.model import BaseModel, BaseTTAModel
from torch import nn

from gld_mm.engine.checkpoint import (load_checkpoint, load_teacher,
                                      load_weights, newest_checkpoint)
from gld_mm.errors import UserError


def save(path):
    torch.save(dict(weight=torch.zeros(1000)), path)


def test_the_newest_is_that_of_the_last_epoch_by_number(tmp_path):
    for epoch in (2, 10, 9):
        save(tmp_path / f'epoch_{epoch}.pth')
    save(tmp_path / 'best_accuracy_top1_epoch_11.pth')
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')


def test_one_that_is_cut_off_is_skipped_with_a_warning(tmp_path):
    for epoch in (1, 2):
        save(tmp_path / f'epoch_{epoch}.pth')
    path = tmp_path / 'epoch_2.pth'
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.warns(UserWarning, match='epoch_2.pth is cut off'):
        assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')


@pytest.mark.parametrize('last, expected', [
    ('epoch_2.pth', 'epoch_2.pth'),
    ('epoch_3.pth', 'epoch_2.pth'),
    ('epoch_4.pth', 'epoch_2.pth'),
    ('old/epoch_2.pth', 'epoch_2.pth'),
    ('iter_900.pth', 'iter_300.pth'),
])
def test_files_of_an_older_run_that_was_longer_are_passed_over(
        tmp_path, last, expected):
    for name in ('epoch_1.pth', 'epoch_2.pth', 'epoch_8.pth', 'iter_300.pth',
                 'iter_9000.pth'):
        save(tmp_path / name)
    (tmp_path / 'epoch_4.pth').write_bytes(b'cut off')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / last))
    with nullcontext() if last != 'epoch_4.pth' else pytest.warns(
            UserWarning, match='epoch_4.pth is cut off'):
        assert newest_checkpoint(tmp_path) == str(tmp_path / expected)


def test_a_last_one_that_is_remote_is_left_to_mmengine(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('s3://b/epoch_1.pth')
    assert newest_checkpoint(tmp_path) == 's3://b/epoch_1.pth'


@pytest.mark.parametrize('name', ['elsewhere/epoch_3.pth', 'step_3.pth'])
def test_one_of_another_folder_or_name_is_that_which_the_run_wrote_last(
        tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    save(path)
    (tmp_path / 'last_checkpoint').write_text(str(path))
    assert newest_checkpoint(tmp_path) == str(path)
    path.write_bytes(path.read_bytes()[:-1000])
    assert newest_checkpoint(tmp_path) is None


def test_a_new_folder_has_none(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / 'missing') is None


class Net(nn.Module):
    """Two layers; the second scores the classes."""

    def __init__(self, width=4, classes=3):
        super().__init__()
        self.body = nn.Linear(2, width)
        self.bn = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, classes)


def state(**kwargs):
    return Net(**kwargs).state_dict()


def without(weights, key):
    return {k: v for k, v in weights.items() if k != key}


def test_weights_that_fit_are_loaded():
    model, other = Net(), Net()
    load_weights(model, other.state_dict(), 'x')
    assert model.head.weight.equal(other.head.weight)


@pytest.mark.parametrize('weights', [
    without(state(), 'bn.num_batches_tracked'),
    {
        f'module.{k}': v
        for k, v in state().items()
    },
    {
        **state(), 'distiller.connectors.a.weight': torch.zeros(1)
    },
    {
        **state(), 'data_preprocessor.mean': torch.zeros(3, 1, 1)
    },
    {
        **state(), 'auxiliary_head.weight': torch.zeros(1)
    },
])
def test_old_parallel_and_distilled_checkpoints_fit(weights):
    model = Net()
    load_weights(model, weights, 'x')
    name = 'head.weight' if 'head.weight' in weights else 'module.head.weight'
    assert model.head.weight.equal(weights[name])


def test_a_model_with_augmented_tests_takes_every_weight_or_none():

    class Augmented(BaseTTAModel):

        def __init__(self):
            BaseModel.__init__(self)
            self.module = Net()

        def merge_preds(self, data_samples_list):
            """Not called."""

    other = state()
    model = Augmented()
    load_weights(model, other, 'x')
    assert model.module.head.weight.equal(other['head.weight'])
    with pytest.raises(UserError, match='x is of another network: 8 weights'):
        load_weights(model, {'neck.weight': torch.zeros(1)}, 'x')


def test_a_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    torch.save(state(), tmp_path / 'a.pth')
    load_checkpoint(Net(), '~/a.pth')
    with pytest.raises(UserError, match='"~/b.pth" does not exist'):
        load_checkpoint(Net(), '~/b.pth')


@pytest.mark.parametrize('weights, message', [
    (without(state(), 'body.bias'),
     'x is of another network: 1 weights of the model are missing and 0 are '
     'unknown to it, it lacks "body.bias".'),
    ({
        **state(), 'neck.weight': torch.zeros(1)
    }, 'x is of another network: 0 weights of the model are missing and 1 are '
     'unknown to it, it has "neck.weight", which the model lacks.'),
    (state(classes=5),
     'x is of other classes: 2 weights differ in shape, "head.bias" is (5,) '
     'in the file and (3,) in the model.'),
    (state(width=8),
     'x is of another network: 7 weights differ in shape, "head.weight" is '
     '(3, 8) in the file and (3, 4) in the model.'),
])
def test_weights_that_do_not_fit_are_one_line(weights, message):
    with pytest.raises(UserError) as error:
        load_weights(Net(), weights, 'x')
    assert str(error.value) == message


class Renaming(Net):
    """Renames a weight of older checkpoints while it loads them."""

    def _load_from_state_dict(self, state_dict, prefix, *args):
        old = state_dict.pop(f'{prefix}body.kernel', None)
        if old is not None:
            state_dict[f'{prefix}body.weight'] = old
        super()._load_from_state_dict(state_dict, prefix, *args)


def test_what_a_model_converts_while_it_loads_fits():
    weights = state()
    kernel = weights['body.kernel'] = weights.pop('body.weight')
    model = Renaming()
    load_weights(model, weights, 'x')
    assert model.body.weight.equal(kernel)


def test_what_is_no_tensor_is_one_line():
    with pytest.raises(
            UserError,
            match='^x does not fit the model: While copying the parameter '
            'named "head.bias"'):
        load_weights(Net(), {**state(), 'head.bias': [0.]}, 'x')


def test_versions_of_modules_are_handed_on():
    weights, seen = state(), []

    class Versioned(Net):

        def _load_from_state_dict(self, state_dict, prefix, meta, *args):
            seen.append(meta.get('version'))
            super()._load_from_state_dict(state_dict, prefix, meta, *args)

    weights._metadata['']['version'] = 7
    load_weights(Versioned(), weights, 'x')
    assert seen == [7]


def test_a_checkpoint_may_hold_weights_alone_or_under_state_dict(tmp_path):
    weights = state()
    for number, content in enumerate((weights, dict(state_dict=weights))):
        torch.save(content, tmp_path / f'{number}.pth')
        model = Net()
        load_checkpoint(model, str(tmp_path / f'{number}.pth'))
        assert model.head.weight.equal(weights['head.weight'])


@pytest.mark.parametrize('content, message', [
    (None, '" does not exist'),
    (b'text', '" cannot be read as a file of plain weights: '),
])
def test_a_teacher_that_cannot_be_read_names_the_config_that_trains_it(
        tmp_path, content, message):
    path = tmp_path / 't.pth'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
            UserError,
            match=f'^teacher_ckpt "{path}{message}.*'
            'Train it with: python tools/train.py a.py$'):
        load_teacher(Net(), str(path), 'a.py')


@pytest.mark.parametrize('content',
                         [[1], dict(state_dict=None), {
                             0: torch.zeros(1)
                         }])
def test_a_file_without_weights_is_one_line(tmp_path, content):
    torch.save(content, tmp_path / 't.pth')
    with pytest.raises(UserError, match='as a file of plain weights'):
        load_teacher(Net(), str(tmp_path / 't.pth'))


def test_a_teacher_without_meta_is_loaded(tmp_path):
    weights, teacher = state(), Net()
    torch.save(dict(meta=None, state_dict=weights), tmp_path / 't.pth')
    load_teacher(teacher, str(tmp_path / 't.pth'))
    assert teacher.head.weight.equal(weights['head.weight'])
    assert teacher.dataset_meta == dict(classes=None)
