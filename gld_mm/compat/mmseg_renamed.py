# Copyright (c) gld_mm authors. All rights reserved.
"""On OneDL mmengine finds no config that begins with ``mmseg::``.

It looks for them in the package "mmsegmentation", which is called
"onedl-mmsegmentation" there. The module is mmseg on both.
"""
from importlib.util import find_spec

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.utils import get_installed_path


def is_faulty() -> bool:
    """Whether mmseg is there, but not under the name that is looked for."""
    if find_spec('mmseg') is None:
        return False
    try:
        get_installed_path(MODULE2PACKAGE['mmseg'])
    except Exception:  # of a type that depends on the version
        return True
    return False


def repair() -> None:
    """Let mmengine look for the module."""
    MODULE2PACKAGE['mmseg'] = 'mmseg'
