# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys

NEWER = 'import mmcv; mmcv.__version__ = "2.1.1"; '


def run(code):
    return subprocess.run([sys.executable, '-c', NEWER + code],
                          capture_output=True,
                          text=True)


def test_by_itself_mmrazor_refuses_a_newer_mmcv():
    assert 'MMCV==2.1.1 is used but incompatible' in run(
        'import mmrazor').stderr


def test_it_takes_one_after_gld_mm():
    result = run('from gld_mm import compat; import mmrazor.models;'
                 'print(*compat.repaired, mmcv.__version__)')
    names = result.stdout.splitlines()[-1].split()
    assert 'mmrazor_newer_mmcv' in names, result.stderr
    assert names[-1] == '2.1.1'
