# Copyright (c) gld_mm authors. All rights reserved.
"""Repairs of faults in released OpenMMLab packages.

One module a fault. Each has ``is_faulty()``, which looks at the installed
package, and ``repair()``. Nothing on disk is touched, and a release without
the fault is left alone. Scripts that import OpenMMLab before their config does
can be run with the repairs in place by ``python -m gld_mm.compat SCRIPT``.
"""
from . import (cls_data_preprocessor, mmcv_ext, mmdet_ssd_head,
               mmengine_checkpoint, mmrazor_quantization, optional_imports)


def apply() -> None:
    """Repair what is faulty, in an order in which each can be imported."""
    mmcv_ext.check_installed()
    for fault in (mmengine_checkpoint, mmcv_ext, mmrazor_quantization):
        if fault.is_faulty():
            fault.repair()
    optional_imports.import_hosts()
    if cls_data_preprocessor.is_faulty():
        cls_data_preprocessor.repair()
    mmdet_ssd_head.repair_when_imported()


__all__ = ['apply']
