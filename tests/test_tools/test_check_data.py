# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys
from pathlib import Path

import pytest

from gld_mm.errors import UserError

from ..fine_grained import cub200, noise
from ..in_process import run_tool

ROOT = Path(__file__).parents[2]


def run(*args):
    result = subprocess.run([
        sys.executable, ROOT / 'tools/check_data.py',
        ROOT / 'configs/baseline/r18_cub200.py', *args
    ],
                            capture_output=True,
                            text=True)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def data(tmp_path):
    """Birds of three classes, and how to tell the tool."""
    cub200(tmp_path / 'cub', noise(tmp_path / 'images'))
    return tmp_path / 'cub', [
        '--cfg-options', *(f'{split}_dataloader.dataset.data_root='
                           f'{tmp_path / "cub"}'
                           for split in ('train', 'val', 'test'))
    ]


def test_every_file_is_read_and_every_fault_is_named(data):
    root, options = data
    code, output = run(*options)
    assert code == 0, output
    assert 'train: CUB, 6 images, 0 faults' in output
    assert 'val: CUB, 6 images, 0 faults' in output
    assert 'test: ' not in output  # the same as val
    first, second, third, *_ = sorted((root / 'images').rglob('*.jpg'))
    first.unlink()
    second.write_bytes(second.read_bytes()[:300])
    third.write_text('<html>404</html>')
    code, output = run(*options)
    assert code == 1
    assert f'missing: {first}' in output
    assert f'not a whole image: {second}' in output
    assert f'not a whole image: {third}' in output


def test_training_stops_with_one_line_before_it_begins(data, tmp_path):
    root, options = data
    (root / 'train_test_split.txt').unlink()
    with pytest.raises(UserError) as error:
        run_tool('tools/train.py', ROOT / 'configs/baseline/r18_cub200.py',
                 '--work-dir', tmp_path / 'run', *options)
    assert str(error.value) == (
        f'CUB: {root}/train_test_split.txt is missing. Expected below {root}: '
        'images.txt, image_class_labels.txt, train_test_split.txt, images '
        '(docs/data.md)')
