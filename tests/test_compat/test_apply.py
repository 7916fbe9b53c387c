# Copyright (c) gld_mm authors. All rights reserved.
"""Which repairs are active on which stack."""
import sys
from importlib.util import find_spec

import mmcv
import pytest
from mmengine.utils import digit_version

from gld_mm import compat
from gld_mm.compat import mmdet_ssd_head

from . import ONEDL

EVERYWHERE = {
    'mmengine_checkpoint', 'mmrazor_quantization', 'cls_data_preprocessor',
    'mmcls_renamed'
}
# hosts, mmcv: the repairs. No version of torch makes a difference.
REPAIRED = {
    ('OpenMMLab', 'lite'): EVERYWHERE | {'mmcv_ext', 'mmdet_ssd_head'},
    ('OpenMMLab', 'full'): EVERYWHERE | {'mmdet_ssd_head'},
    ('OneDL', 'lite'):
    EVERYWHERE | {'mmcv_ext', 'mmdet_ssd_head', 'mmseg_renamed'},
    ('OneDL', 'full'): EVERYWHERE | {'mmdet_ssd_head', 'mmseg_renamed'},
}


def stack():
    hosts = 'OneDL' if ONEDL else 'OpenMMLab'
    full = getattr(find_spec('mmcv._ext'), 'loader', None) is not None
    return hosts, 'full' if full else 'lite'


def test_each_stack_gets_the_repairs_that_it_needs():
    expected = REPAIRED[stack()]
    if digit_version(mmcv.__version__) > digit_version('2.1.0'):
        expected = expected | {'mmrazor_newer_mmcv'}
    if sys.version_info >= (3, 14) and not ONEDL:
        expected = expected | {'mmengine_find_loader'}
    if find_spec('mmdet') is None:
        expected = expected - {'mmdet_ssd_head'}
    else:
        import mmdet.models  # noqa: F401
    if find_spec('mmseg') is None:
        expected = expected - {'mmseg_renamed'}
    assert sorted(compat.repaired) == sorted(expected)


@pytest.mark.parametrize(
    'name',
    sorted(EVERYWHERE | {'mmcv_ext', 'mmengine_find_loader', 'mmseg_renamed'}))
def test_what_is_repaired_has_the_fault_no_more(name):
    assert not getattr(compat, name).is_faulty()


def test_ssd_has_the_fault_no_more():
    pytest.importorskip('mmdet')
    from mmdet.models.dense_heads import ssd_head
    assert not mmdet_ssd_head.is_faulty(ssd_head)


def test_a_package_without_the_fault_is_left_alone():
    before = list(compat.repaired)
    compat.apply()
    assert compat.repaired == before
