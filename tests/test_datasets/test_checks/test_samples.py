# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from gld_mm.datasets.checks.build import build_dataset
from gld_mm.datasets.checks.items import files
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.errors import UserError

from .conftest import folders

pytest.importorskip('scipy')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def test_a_whole_dataset_passes(data):
    dataset = build_dataset(data)
    assert len(dataset) == len({*files(dataset)}) == 6
    check_samples(dataset, None)


def test_a_half_unpacked_archive_names_the_first_missing_image(data):
    dataset = build_dataset(data)
    paths = list(files(dataset))
    Path(paths[2]).unlink()
    Path(paths[4]).unlink()
    with pytest.raises(UserError) as error:
        check_samples(dataset, None)
    assert str(error.value).startswith(
        f'{data.type}: 2 of 6 images are listed but missing, {paths[2]} the '
        'first')


def test_labels_beyond_the_head_are_an_error(data):
    dataset = build_dataset(data)
    with pytest.raises(UserError, match='classes, the head 2|labels up to 2'):
        check_samples(dataset, 2)


def test_another_number_of_class_folders_is_an_error(tmp_path):
    dataset = build_dataset(folders(tmp_path, 'cat', 'dog'))
    with pytest.raises(UserError, match='has 2 classes, the head 3'):
        check_samples(dataset, 3)
    check_samples(dataset, 2)


def test_a_plain_torch_dataset_passes():
    from torch.utils.data import TensorDataset
    check_samples(TensorDataset(torch.zeros(2)), 10)


def test_files_of_another_backend_are_not_looked_for(tmp_path):
    cfg = folders(tmp_path, 'cat', 'dog')
    cfg['pipeline'] = [dict(type='LoadImageFromFile')]
    dataset = build_dataset(cfg)
    (tmp_path / 'train' / 'cat' / 'x.jpg').unlink()
    loader, = dataset.pipeline.transforms
    for loader.backend_args in (None, dict(backend='local')):
        with pytest.raises(UserError, match='1 of 2 images are listed but'):
            check_samples(dataset, 2)
    loader.backend_args = dict(backend='petrel')
    check_samples(dataset, 2)


class Own(Dataset):
    """A dataset of the user's own."""

    def __init__(self, paths, classes):
        self.paths = paths
        self.metainfo = dict(classes=classes)
        self.dataset = None  # opened by a worker

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        raise NotImplementedError

    def get_data_info(self, index):
        return dict(img_path=self.paths[index], gt_label=index)


def test_a_dataset_of_the_users_own_may_keep_its_data_as_it_likes(tmp_path):
    left, right = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
    dataset = Own([left, [str(left), str(right)]], np.array(['cat', 'dog']))
    with pytest.raises(UserError, match='3 of 2 images are listed but miss'):
        check_samples(dataset, 2)
    left.touch()
    right.touch()
    assert check_samples(dataset, 2) == ['cat', 'dog']
