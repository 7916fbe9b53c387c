# Copyright (c) gld_mm authors. All rights reserved.
"""mmengine 0.10.7 and mmcv call what Python 3.14 removed: find_loader.

mmengine does so for any optimizer with ``paramwise_cfg``
(python/cpython#97850).
"""
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, Optional

from mmcv.utils import ext_loader
from mmengine.utils.dl_utils import misc


def is_faulty() -> bool:
    """Whether mmengine cannot look for mmcv's operators."""
    try:
        misc.mmcv_full_available()
    except AttributeError:
        return True
    return False


def repair() -> None:
    """Let both look by ``find_spec``."""
    for module in (misc, ext_loader):
        module.pkgutil = SimpleNamespace(find_loader=_find_loader)


def _find_loader(name: str) -> Any:
    spec: Optional[ModuleSpec] = find_spec(name)
    return spec and spec.loader
