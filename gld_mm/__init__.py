# Copyright (c) gld_mm authors. All rights reserved.
"""GLD for OpenMMLab.

Importing this package repairs the installed OpenMMLab packages where they need
it (:mod:`gld_mm.compat`), shows errors that a user can mend as one line
(:mod:`gld_mm.errors`) and registers every module of the plugin, so
``custom_imports = dict(imports=['gld_mm'])`` is all a config needs.
"""
from . import compat, errors
from .version import __version__

errors.install_excepthook()
compat.apply()

from . import datasets, engine, models  # noqa: E402,F401

__all__ = ['__version__']
