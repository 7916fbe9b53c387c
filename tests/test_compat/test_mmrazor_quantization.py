# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys

import pytest

from gld_mm.compat import repaired

needs_fault = pytest.mark.skipif(
    'mmrazor_quantization' not in repaired,
    reason='this torch still has what mmrazor imports')


@needs_fault
def test_mmrazor_does_not_import_by_itself():
    # The version is one that it accepts, which is not what this is about.
    code = 'import mmcv; mmcv.__version__ = "2.1.0"; import mmrazor.models'
    run = subprocess.run([sys.executable, '-c', code],
                         capture_output=True,
                         text=True)
    assert run.returncode != 0
    assert 'mmrazor/structures/quantization' in run.stderr


@needs_fault
def test_quantization_says_what_it_needs():
    from mmrazor.structures.quantization import QConfigHandler
    with pytest.raises(ImportError, match='torch < 2.0'):
        QConfigHandler({})
