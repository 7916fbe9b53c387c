# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

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


def test_a_config_without_data_is_one_line(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("model = dict(type='A')\ndata = dict(train=dict())\n")
    with pytest.raises(UserError, match='there is nothing to check'):
        run_tool('tools/check_data.py', config)


def test_what_stops_the_training_is_a_fault(tmp_path):
    for split, names in (('train', 'ab'), ('val', 'bc')):
        for name in names:
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            Image.new('RGB', (8, 8)).save(folder / 'x.jpg')
    config = tmp_path / 'mine.py'
    config.write_text(f"""
default_scope = 'mmpretrain'
model = dict(type='ImageClassifier', head=dict(num_classes=2))
train_dataloader = dict(
    dataset=dict(type='CustomDataset', data_prefix={str(tmp_path/'train')!r}))
val_dataloader = dict(
    dataset=dict(type='CustomDataset', data_prefix={str(tmp_path/'val')!r}))
""")
    result = subprocess.run(
        [sys.executable, ROOT / 'tools/check_data.py', config],
        capture_output=True,
        text=True)
    assert result.returncode == 1
    assert 'the validation set has other classes: "b" is label 1 of the ' \
        'training set and label 0' in result.stdout
