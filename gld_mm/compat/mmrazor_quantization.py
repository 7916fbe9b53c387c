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
from importlib.util import find_spec
from pathlib import Path

_NAME = 'mmrazor.structures.quantization'


def is_faulty() -> bool:
    """Whether mmrazor imports a name that torch lacks."""
    name = 'reverse_sequential_wrapper2'
    spec = find_spec('mmrazor')
    assert spec and spec.origin, 'mmrazor is not installed.'
    source = Path(spec.origin).parent.joinpath(
        'structures', 'quantization', 'backend_config',
        'common_operator_config_utils.py')
    if not source.exists() or name not in source.read_text():
        return False
    try:
        return not hasattr(
            import_module('torch.ao.quantization.fuser_method_mappings'), name)
    except ImportError:
        return True


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
