# Copyright (c) gld_mm authors. All rights reserved.
"""mmrazor 1.0.0 refuses any mmcv after 2.1.0, such as OneDL's 2.3.

Each host has a limit of its own, which is newer and left alone.
"""
from importlib import import_module

import mmcv

_NEWEST = '2.1.0'


def is_faulty() -> bool:
    """Whether mmrazor refuses the installed mmcv."""
    try:
        import_module('mmrazor')
    except AssertionError:
        return True
    return False


def repair() -> None:
    """Import mmrazor while mmcv calls itself the newest that it accepts."""
    version = mmcv.__version__
    mmcv.__version__ = _NEWEST
    try:
        import_module('mmrazor')
    finally:
        mmcv.__version__ = version
