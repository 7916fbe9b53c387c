# Copyright (c) gld_mm authors. All rights reserved.
"""mmrazor 1.0.0 does not import on torch >= 2.0.

Its quantization package uses names that ``torch.ao.quantization`` dropped and
is imported whatever one wants of mmrazor. Distillation needs none of it.

Upstream: https://github.com/open-mmlab/mmrazor/issues/615 and
https://github.com/open-mmlab/mmrazor/issues/632
"""
import sys
import types
from importlib import import_module

_NAME = 'mmrazor.structures.quantization'


def is_faulty() -> bool:
    """Whether the package cannot be imported, here by a name torch lacks."""
    try:
        import_module(_NAME)
    except ImportError:
        return True
    return False


def repair() -> None:
    """Put a stand-in for mmrazor's quantization package.

    Its two classes raise an ``ImportError`` when something builds them.
    """
    stand_in = types.ModuleType(_NAME, __doc__)
    names = ('BackendConfigs', 'QConfigHandler')
    classes = {name: _unavailable(name) for name in names}
    vars(stand_in).update(classes, __all__=list(names), __path__=[])
    sys.modules.setdefault(_NAME, stand_in)


def _unavailable(name: str) -> type:

    def init(self, *args, **kwargs):
        raise ImportError(f'{name}: the quantization of mmrazor 1.0.0 needs '
                          'torch < 2.0; gld_mm does without it.')

    return type(name, (), dict(__init__=init))
