# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch

from gld_mm.utils import newest_checkpoint


def save(path):
    torch.save(dict(weight=torch.zeros(1000)), path)


def test_it_is_that_of_the_last_epoch_by_number(tmp_path):
    for epoch in (2, 10, 9):
        save(tmp_path / f'epoch_{epoch}.pth')
    save(tmp_path / 'best_accuracy_top1_epoch_11.pth')
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')


def test_one_that_is_cut_off_is_skipped_with_a_warning(tmp_path):
    for epoch in (1, 2):
        save(tmp_path / f'epoch_{epoch}.pth')
    path = tmp_path / 'epoch_2.pth'
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.warns(UserWarning, match='epoch_2.pth is cut off'):
        assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')


def test_a_new_folder_has_none(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / 'missing') is None
