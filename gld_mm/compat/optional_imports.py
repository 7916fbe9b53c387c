# Copyright (c) gld_mm authors. All rights reserved.
"""mmrazor and mmpretrain import mmdet and mmseg wherever they are installed.

mmrazor does so for pruning, mmpretrain for one layer of self-supervised
detectors (``ResLayerExtraNorm``); both do without where they are missing. A
classification run should not pay seconds of import for them, so they are
hidden meanwhile. What was imported before gld_mm stays visible, which is what
to do in a process that also prunes detectors with mmrazor.
"""
import sys
from importlib import import_module

_OPTIONAL = ('mmdet', 'mmseg')
# All that mmengine's registries import when a type is first looked up.
_HOSTS = ('mmrazor.models', 'mmrazor.engine', 'mmrazor.datasets',
          'mmrazor.structures', 'mmpretrain.models')


def import_hosts() -> None:
    """Import mmrazor and mmpretrain's models without mmdet and mmseg."""
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    # None in sys.modules makes `import name` raise ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        for name in _HOSTS:
            import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]
