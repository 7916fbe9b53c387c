# Copyright (c) gld_mm authors. All rights reserved.
import pkgutil

import pytest
from mmcv.utils import ext_loader
from mmengine.optim import build_optim_wrapper
from mmengine.utils.dl_utils import misc
from torch import nn

from gld_mm.compat.mmengine_find_loader import is_faulty, repair

OPTIMIZER = dict(
    optimizer=dict(type='SGD', lr=0.1),
    paramwise_cfg=dict(custom_keys=dict(bias=dict(lr_mult=2.))))


@pytest.fixture
def _python_3_14(monkeypatch):
    if not hasattr(misc, 'pkgutil'):
        pytest.skip('This mmengine does not call find_loader')
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)
    for module in (misc, ext_loader):
        monkeypatch.setattr(module, 'pkgutil', pkgutil)


@pytest.mark.usefixtures('_python_3_14')
def test_rates_of_parameters_fail_by_themselves_and_work_when_repaired():
    with pytest.raises(AttributeError, match='find_loader'):
        build_optim_wrapper(nn.Linear(2, 2), OPTIMIZER)
    assert is_faulty()
    repair()
    assert not is_faulty()
    wrapper = build_optim_wrapper(nn.Linear(2, 2), OPTIMIZER)
    assert {g['lr'] for g in wrapper.param_groups} == {0.1, 0.2}


@pytest.mark.usefixtures('_python_3_14')
def test_a_module_that_is_missing_has_no_loader():
    repair()
    find_loader = misc.pkgutil.find_loader
    assert find_loader('mmcv.nowhere') is None
    assert find_loader('mmcv.cnn').get_filename().endswith('__init__.py')
