# Copyright (c) gld_mm authors. All rights reserved.
"""mmrazor 1.0.0 calls mmpretrain by its old name, mmcls.

Its configs inherit ``mmcls::resnet/...`` and build ``mmcls.ResNet``, and its
``KDSoftCELoss`` computes with a function of mmcls, for which it puts a
placeholder that cannot be called.

Upstream: https://github.com/open-mmlab/mmrazor/issues/546
"""
import sys
from importlib import import_module

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry


def is_faulty() -> bool:
    """Whether mmengine finds no modules under the old name."""
    try:
        import_module('mmcls.registry')
    except ModuleNotFoundError:
        return True
    return False


def repair() -> None:
    """Let the old name lead to the new package, where configs use it."""
    # Imported here, that is after the repair of what it imports.
    from mmpretrain import registry, utils
    from mmpretrain.models.losses import cross_entropy_loss
    from mmrazor.models.losses import kd_soft_ce_loss
    kd_soft_ce_loss.soft_cross_entropy = cross_entropy_loss.soft_cross_entropy
    MODULE2PACKAGE['mmcls'] = MODULE2PACKAGE['mmpretrain']
    # mmengine imports these two of a scope. No `mmcls` is put beside them, so
    # who asks whether mmcls is installed hears the truth.
    sys.modules.update({'mmcls.registry': registry, 'mmcls.utils': utils})
    for new in vars(registry).values():
        if isinstance(new, Registry) and new.scope == 'mmpretrain':
            old = Registry(
                new.name,
                build_func=new.build_func,
                parent=new.parent,
                scope='mmcls',
                locations=new._locations)
            old._module_dict = new.module_dict
