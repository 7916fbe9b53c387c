# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys
from importlib.util import find_spec

import pytest

CODE = '''
import sys
import gld_mm
from mmrazor.registry import HOOKS, MODELS, TASK_UTILS
from mmpretrain.registry import DATASETS, MODELS as CLS_MODELS
assert {'GLDDistill', 'GLDDistiller', 'DenseLogitConnector',
        'NormalizedKLLoss', 'RelationLoss'} <= set(MODELS.module_dict)
assert 'GlobalLocalLogitsRecorder' in TASK_UTILS.module_dict
assert 'TeacherValHook' in HOOKS.module_dict
assert 'CifarResNet' in CLS_MODELS.module_dict
assert 'NoisyDigits' in DATASETS.module_dict
# A lookup makes mmengine import the rest of mmrazor.
assert HOOKS.get('mmrazor.TeacherValHook')
assert MODELS.get('mmrazor.GLDDistill')
print(sorted({'mmdet', 'mmseg'} & set(sys.modules)))
'''


def test_importing_gld_mm_registers_all_and_pulls_in_no_mmdet_or_mmseg():
    for package in ('mmdet', 'mmseg'):
        if find_spec(package) is None:
            pytest.skip(f'{package} is not installed')
    run = subprocess.run([sys.executable, '-c', CODE],
                         capture_output=True,
                         text=True)
    assert run.stdout.splitlines()[-1] == '[]', run.stderr


def test_repairs_reach_a_script_run_with_the_module(tmp_path):
    script = tmp_path / 'script.py'
    (tmp_path / 'neighbour.py').touch()
    script.write_text(
        'import sys, mmrazor.models, neighbour; print(sys.argv[1:])')
    run = subprocess.run(
        [sys.executable, '-m', 'gld_mm.compat',
         str(script), 'a', '--b'],
        capture_output=True,
        text=True)
    assert run.stdout.splitlines()[-1] == "['a', '--b']", run.stderr
