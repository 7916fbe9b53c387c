# Copyright (c) gld_mm authors. All rights reserved.
import hashlib

import numpy as np
import pytest
import torchvision

from gld_mm.datasets import STL10

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Four training and two test images in the published binary layout."""
    folder = tmp_path / 'stl10_binary'
    folder.mkdir()
    rng = np.random.default_rng(0)
    files = dict()
    for split, number in (('train', 4), ('test', 2)):
        # Column-major colour planes, labels from 1.
        images = rng.integers(0, 256, (number, 3, 96, 96), np.uint8)
        images[:, 0] = np.arange(96, dtype=np.uint8)[:, None]  # by column
        files[f'{split}_X.bin'] = images.tobytes()
        files[f'{split}_y.bin'] = bytes(range(1, number + 1))
    files['unlabeled_X.bin'] = b''
    files['class_names.txt'] = b'airplane\nbird\ncar\ncat\n'
    files['fold_indices.txt'] = b''
    for name, content in files.items():
        (folder / name).write_bytes(content)

    def entries(names):
        return [[n, hashlib.md5(files[n]).hexdigest()] for n in names]

    stl = torchvision.datasets.STL10
    monkeypatch.setattr(
        stl, 'train_list',
        entries(['train_X.bin', 'train_y.bin', 'unlabeled_X.bin']))
    monkeypatch.setattr(stl, 'test_list', entries(['test_X.bin',
                                                   'test_y.bin']))
    return str(tmp_path)


@pytest.mark.parametrize('split, number', [('train', 4), ('test', 2)])
def test_it_reads_the_published_binary_files(root, split, number):
    dataset = STL10(root, split, pipeline=[])
    assert len(dataset) == number
    assert dataset.get_gt_labels().tolist() == list(range(number))
    image = dataset[0]['img']
    assert image.shape == (96, 96, 3)
    # The red plane counts columns from left to right.
    assert (image[..., 0] == np.arange(96)).all()


def test_it_goes_through_the_pipeline_of_the_config(root):
    dataset = STL10(
        root,
        pipeline=[dict(type='Resize', scale=32),
                  dict(type='PackInputs')])
    assert dataset[1]['inputs'].shape == (3, 32, 32)


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match='Unpack stl10_binary.tar.gz'):
        STL10(str(tmp_path), download=False, pipeline=[])


def test_a_half_copied_file_is_an_error(root, tmp_path):
    path = tmp_path / 'stl10_binary' / 'train_X.bin'
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FileNotFoundError, match='No whole STL-10'):
        STL10(root, download=False, pipeline=[])


def test_another_split_is_an_error(root):
    with pytest.raises(ValueError, match='got "valid"'):
        STL10(root, 'valid')
