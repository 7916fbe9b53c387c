# Copyright (c) gld_mm authors. All rights reserved.
import os
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import MultiStepLR
from mmengine.runner import CheckpointLoader

HAS_ALLOW_LIST = hasattr(torch.serialization, 'add_safe_globals')


class Intruder:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def hub():
    hub = MessageHub('a')
    for loss in (0.5, 0.25, 1 / 3):
        hub.update_scalar('train/loss', loss, 2)
    hub.update_info('best_score', np.float32(0.5))
    return hub


def test_loading_never_runs_code_out_of_a_checkpoint(tmp_path):
    torch.save(
        dict(meta=Intruder(os.mkdir, str(tmp_path / 'broken'))),
        tmp_path / 'x.pth')
    with pytest.raises(Exception, match='(?i)weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    assert not (tmp_path / 'broken').exists()


def test_not_even_if_the_environment_asks_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    torch.save(
        dict(meta=Intruder(os.mkdir, str(tmp_path / 'broken'))),
        tmp_path / 'x.pth')
    with pytest.raises(Exception, match='(?i)weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    assert not (tmp_path / 'broken').exists()
    assert os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] == '1'
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ


def test_not_even_for_a_download_which_asks_for_it(tmp_path, monkeypatch):
    torch.save(
        dict(meta=Intruder(os.mkdir, str(tmp_path / 'broken'))),
        tmp_path / 'x.pth')
    monkeypatch.setattr(
        'mmengine.runner.checkpoint.load_url',
        lambda *args, **kwargs: torch.load(
            tmp_path / 'x.pth', weights_only=False))
    with pytest.raises(Exception, match='(?i)weights'):
        CheckpointLoader.load_checkpoint('https://somewhere/x.pth', 'cpu')
    assert not (tmp_path / 'broken').exists()


def test_by_itself_mmengine_runs_code_out_of_a_checkpoint(tmp_path):
    # On disk or downloaded, as the versions go. See that the repair is needed.
    path = tmp_path / 'hub/checkpoints/x.pth'
    path.parent.mkdir(parents=True)
    torch.save(Intruder(os.mkdir, str(tmp_path / 'broken')), path)
    code = f"""
from mmengine.runner import CheckpointLoader
for name in ({str(path)!r}, 'https://somewhere.invalid/x.pth'):
    try:
        CheckpointLoader.load_checkpoint(name, 'cpu')
    except Exception:
        pass
"""

    def broken(imports):
        subprocess.run([sys.executable, '-c', imports + code],
                       env=dict(os.environ, TORCH_HOME=str(tmp_path)))
        return (tmp_path / 'broken').exists()

    assert not broken('import gld_mm')
    assert broken('')


def test_a_message_hub_is_saved_in_plain_types_and_comes_back(tmp_path):
    torch.save(hub().state_dict(), tmp_path / 'hub.pth')
    state = torch.load(tmp_path / 'hub.pth', weights_only=True)
    assert type(state['runtime_info']['best_score']) is float
    restored = MessageHub('b')
    restored.load_state_dict(state)
    history, counts = restored.get_scalar('train/loss').data
    assert history.tolist() == [0.5, 0.25, 1 / 3] and history.dtype == float
    assert counts.tolist() == [2, 2, 2]
    restored.update_scalar('train/loss', 1.)
    assert restored.get_scalar('train/loss').current() == 1


def test_a_scheduler_is_saved_in_plain_types_and_goes_on():

    def rates(scheduler, steps):
        found = []
        for _ in range(steps):
            scheduler.step()
            found.append(scheduler.optimizer.param_groups[0]['lr'])
        return found

    def build():
        sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.)
        return MultiStepLR(sgd, milestones=[2, 4], gamma=0.5)

    first, second = build(), build()
    assert rates(first, 3) == [1., 0.5, 0.5]
    state = first.state_dict()
    assert type(state['milestones']) is dict
    rates(second, 1)
    second.load_state_dict(state)
    second.optimizer.param_groups[0]['lr'] = 0.5
    assert rates(second, 2) == [0.25, 0.25]


@pytest.mark.skipif(not HAS_ALLOW_LIST, reason='torch >= 2.4 allows classes')
def test_a_checkpoint_of_stock_mmengine_loads_too(tmp_path):
    stock = dict(
        message_hub=dict(
            log_scalars=dict(loss=HistoryBuffer([1., 2.], [1, 1])),
            runtime_info=dict(score=np.float64(0.25)),
            resumed_keys=dict(loss=True, score=True)))
    torch.save(stock, tmp_path / 'x.pth')
    state = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    restored = MessageHub('b')
    restored.load_state_dict(state['message_hub'])
    assert restored.get_scalar('loss').data[0].tolist() == [1., 2.]
    assert restored.get_info('score') == 0.25


@pytest.mark.skipif(not HAS_ALLOW_LIST, reason='torch >= 2.4 allows classes')
def test_the_version_of_numpy_that_wrote_it_does_not_matter(
        tmp_path, monkeypatch):
    core = 'numpy._core' if hasattr(np, '_core') else 'numpy.core'
    other = {'numpy._core': 'numpy.core', 'numpy.core': 'numpy._core'}[core]

    class Pickler(pickle._Pickler):
        """Writes the names of the other major version."""

        def save_global(self, obj, name=None):
            module = getattr(obj, '__module__', None) or ''
            if module.startswith(f'{core}.'):
                name = getattr(obj, '__qualname__', name)
                self.write(pickle.GLOBAL +
                           f'{module}\n{name}\n'.replace(core, other).encode())
                self.memoize(obj)
            else:
                super().save_global(obj, name)

        dispatch = dict(pickle._Pickler.dispatch)
        dispatch[type(np.ndarray.__reduce__)] = save_global
        dispatch[type(len)] = save_global

    module = types.SimpleNamespace(
        Pickler=Pickler, __name__='pickle', UnpicklingError=Exception)
    torch.save(
        dict(x=HistoryBuffer([1., 2.], [1, 1]), y=np.float64(0.5)),
        tmp_path / 'x.pth',
        pickle_module=module)
    assert other.encode() in (tmp_path / 'x.pth').read_bytes()
    state = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    assert state['x'].data[0].tolist() == [1., 2.] and state['y'] == 0.5


@pytest.mark.skipif(not HAS_ALLOW_LIST, reason='torch >= 2.4 allows classes')
def test_no_attribute_of_another_class_can_be_had(tmp_path):
    torch.save(
        dict(x=Intruder(getattr, np.ndarray, 'tofile')), tmp_path / 'x.pth')
    with pytest.raises(Exception, match='not allowed'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')


@pytest.mark.skipif(not HAS_ALLOW_LIST, reason='torch >= 2.4 allows classes')
def test_it_would_not_without_the_allow_list(tmp_path):
    torch.save(dict(x=HistoryBuffer([1.], [1])), tmp_path / 'x.pth')
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        with pytest.raises(Exception, match='HistoryBuffer'):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    finally:
        torch.serialization.add_safe_globals(allowed)
