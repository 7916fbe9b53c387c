# Copyright (c) gld_mm authors. All rights reserved.
"""Repairs of faults in released OpenMMLab packages.

One module a fault. Each has ``is_faulty()``, which tries what fails on the
installed package, and ``repair()``. Nothing on disk is touched, and a release
without the fault is left alone. Scripts that import OpenMMLab before their
config does can be run with the repairs in place by ``python -m gld_mm.compat
SCRIPT``.
"""
from types import ModuleType

from wrapt import register_post_import_hook

from . import (cls_data_preprocessor, installed, mmcls_renamed, mmcv_ext,
               mmdet_ssd_head, mmengine_checkpoint, mmengine_find_loader,
               mmrazor_newer_mmcv, mmrazor_quantization, mmseg_renamed,
               optional_imports)

# The names of the repairs that the installed packages needed so far
repaired: list = []


def apply() -> None:
    """Repair what is faulty, in an order in which each can be imported."""
    installed.check()
    for fault in (mmengine_checkpoint, mmcv_ext, mmengine_find_loader,
                  mmrazor_newer_mmcv, mmrazor_quantization, mmseg_renamed):
        _repair(fault)
    optional_imports.import_hosts()
    for fault in (cls_data_preprocessor, mmcls_renamed):
        _repair(fault)
    register_post_import_hook(lambda module: _repair(mmdet_ssd_head, module),
                              'mmdet.models.dense_heads.ssd_head')


def _repair(fault: ModuleType, *args: ModuleType) -> None:
    if fault.is_faulty(*args):
        fault.repair(*args)
        repaired.append(fault.__name__.rpartition('.')[2])


__all__ = ['apply', 'repaired']
