# Copyright (c) gld_mm authors. All rights reserved.
"""mmengine 0.10.7 cannot resume on torch >= 2.6, and trusts what it loads.

Its checkpoints hold ``HistoryBuffer`` objects, which ``weights_only=True``,
the default since torch 2.6, refuses. Before 2.6, and for a download on any
torch, mmengine loads with ``weights_only=False``, which runs code out of the
file. OneDL's mmengine 0.10.12 resumes, but loads that way whatever
``weights_only=True`` has refused.

Upstream: https://github.com/open-mmlab/mmengine/issues/1655
"""
import functools
import io
import os
import pickle
from collections import Counter
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Iterator

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import _ParamScheduler
from mmengine.runner import CheckpointLoader, checkpoint

_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
_FORBID = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


class _Intruder:
    """What runs code when it is unpickled: it appends to a list."""
    ran: list = []

    def __reduce__(self):
        return _intrude, ()


def _intrude() -> None:
    _Intruder.ran.append(True)


def is_faulty() -> bool:
    """Whether mmengine runs code out of a file or refuses its own."""
    _Intruder.ran.clear()
    for download in (False, True):
        _loads(_Intruder(), download)
    hub = MessageHub('probe')
    hub.update_scalar('loss', 0.)
    return bool(_Intruder.ran) or not _loads(hub.state_dict())


def _loads(value: Any, download: bool = False) -> bool:
    """Whether mmengine loads a file of this value, on disk or downloaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder, 'hub', 'checkpoints', 'probe.pth')
        path.parent.mkdir(parents=True)
        torch.save(value, path)
        # It is in the cache of downloads, so nothing is fetched.
        name = f'https://gld-mm.invalid/{path.name}' if download else str(path)
        with _environment(TORCH_HOME=folder), redirect_stdout(io.StringIO()):
            try:
                CheckpointLoader.load_checkpoint(name, 'cpu', logger='silent')
            except Exception:
                return False
    return True


def repair() -> None:
    """Load tensors and plain values only, and write nothing else.

    Checkpoints are written without ``HistoryBuffer`` and ``Counter`` objects,
    so any torch loads them with ``weights_only=True``. Those that stock
    mmengine wrote load as well, on torch >= 2.4, which has an allow-list.
    """
    weights_only = _environment(**{_FORCE: '1', _FORBID: None})
    CheckpointLoader.load_checkpoint = classmethod(
        weights_only(CheckpointLoader.load_checkpoint.__func__))
    if hasattr(checkpoint, '_safe_torch_load'):
        # OneDL's allows any ``getattr``, and loads twice what is refused.
        checkpoint._safe_torch_load = torch.load
    _change_state(MessageHub, _plain_hub)
    _change_state(_ParamScheduler, _plain)
    load = MessageHub.load_state_dict
    MessageHub.load_state_dict = functools.wraps(load)(
        lambda self, state_dict: load(self, _with_histories(state_dict)))
    if hasattr(torch.serialization, 'add_safe_globals'):
        torch.serialization.add_safe_globals(_allowed())


def _allowed() -> list:
    """What a ``HistoryBuffer`` and numbers of NumPy are pickled with."""
    multiarray = (getattr(np, '_core', None) or np.core).multiarray
    numbers = np.typecodes['AllInteger'] + np.typecodes['AllFloat'] + '?'
    return [
        HistoryBuffer,
        Counter,
        np.ndarray,
        np.dtype,
        *{type(np.dtype(code))
          for code in numbers},
        _named(_history_statistic, 'builtins', 'getattr'),
        # NumPy 2 moved these, and checkpoints outlive an update of NumPy.
        *(_named(function, f'numpy.{core}.multiarray', function.__name__)
          for function in (multiarray._reconstruct, multiarray.scalar)
          for core in ('core', '_core'))
    ]


def _named(function: Callable, module: str, name: str) -> Callable:
    """The function under the name by which a pickle asks for it."""

    def alias(*args):
        return function(*args)

    alias.__module__, alias.__name__, alias.__qualname__ = module, name, name
    return alias


def _history_statistic(owner: type, name: str) -> Any:
    """What a pickled ``HistoryBuffer`` uses of ``getattr``, and no more."""
    if owner is not HistoryBuffer:
        raise pickle.UnpicklingError(f'getattr of {owner} is not allowed.')
    return getattr(owner, name)


@contextmanager
def _environment(**variables) -> Iterator[None]:
    saved = {name: os.environ.pop(name, None) for name in variables}
    os.environ.update({k: v for k, v in variables.items() if v is not None})
    try:
        yield
    finally:
        for name, value in saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _change_state(owner: Any, change: Callable[[dict], dict]) -> None:
    state_dict = owner.state_dict
    owner.state_dict = functools.wraps(state_dict)(
        lambda self: change(state_dict(self)))


def _plain_hub(state: dict) -> dict:
    groups = ('log_scalars', 'runtime_info')
    return {**state, **{group: _plain(state[group]) for group in groups}}


def _plain(values: dict) -> dict:
    return {name: _to_plain(value) for name, value in values.items()}


def _to_plain(value: Any) -> Any:
    if isinstance(value, Counter):  # the milestones of a scheduler
        return dict(value)
    if isinstance(value, HistoryBuffer):
        log_history, count_history = value.data
        return dict(
            log_history=torch.from_numpy(log_history),
            count_history=torch.from_numpy(count_history),
            max_length=value.max_length)
    return value.item() if isinstance(value, np.generic) else value


def _with_histories(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    scalars = state['log_scalars'].items()
    return {**state, 'log_scalars': {k: _to_history(v) for k, v in scalars}}


def _to_history(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return HistoryBuffer(value['log_history'].cpu().numpy(),
                         value['count_history'].cpu().numpy(),
                         value['max_length'])
