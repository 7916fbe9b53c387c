# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path
from urllib.error import URLError

import pytest
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from gld_mm.datasets.checks.build import LAYOUTS, build_dataset, check_layout
from gld_mm.errors import UserError

from .conftest import folders

pytest.importorskip('scipy')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def test_a_wrong_folder_names_what_is_missing_and_the_layout(data, tmp_path):
    data.data_root = str(tmp_path / 'nowhere')
    with pytest.raises(UserError) as error:
        check_layout(data)
    line, = str(error.value).splitlines()
    assert line.startswith(f'{data.type}: {tmp_path}/nowhere/')
    assert f'is missing. Expected below {tmp_path}/nowhere: ' in line


def test_an_unreadable_annotation_is_one_line(data):
    layout, *_ = LAYOUTS[data.type]
    name = layout[0].format(split='train', annos='annos')
    (Path(data.data_root) / name).write_bytes(b'no annotation \xff\n')
    with pytest.raises(UserError, match='cannot be read: ') as error:
        build_dataset(data)
    assert len(str(error.value).splitlines()) == 1


def test_one_that_downloads_itself_may_be_missing(tmp_path):
    check_layout(dict(type='MNIST', data_prefix=str(tmp_path / 'nowhere')))


@pytest.mark.parametrize(
    'cfg', [dict(type='MNIST', download=False),
            dict(type='CustomDataset')])
def test_one_that_does_not_may_not(tmp_path, cfg):
    with pytest.raises(UserError, match='nowhere is missing'):
        check_layout(dict(cfg, data_prefix=str(tmp_path / 'nowhere')))


def test_imagenet_with_other_folders_is_an_error(tmp_path):
    folders(tmp_path, 'n01440764')
    cfg = dict(type='ImageNet', data_root=str(tmp_path), split='train')
    with pytest.raises(UserError, match=r'subfolders \(1\) doesn.t match'):
        build_dataset(cfg)


def test_files_that_a_config_names_itself_have_to_be_there(tmp_path):
    dataset = dict(
        type='ImageNet',
        data_root=str(tmp_path),
        data_prefix='ILSVRC/train',
        ann_file='mine.txt')
    with pytest.raises(UserError, match='mine.txt is missing'):
        check_layout(dataset)
    (tmp_path / 'mine.txt').write_text('a.jpg 0')
    (tmp_path / 'ILSVRC' / 'train').mkdir(parents=True)
    check_layout(dataset)


def test_a_dataset_of_another_kind_passes():
    check_layout(dict(type='Mine', data_root='nowhere'))
    check_layout(dict(type='CUB', data_root='s3://bucket/cub'))


def test_a_download_that_fails_says_where_the_data_go(tmp_path, monkeypatch):

    def fail(*args, **kwargs):
        raise URLError('no network')

    monkeypatch.setattr(
        'mmpretrain.datasets.cifar.download_and_extract_archive', fail)
    with pytest.raises(
            UserError,
            match=f'^CIFAR100 is not in {tmp_path}, or .*failed: no network'):
        build_dataset(
            dict(
                type='CIFAR100',
                split='train',
                data_root=str(tmp_path),
                pipeline=[]))


@pytest.mark.parametrize('where', [
    dict(data_root='s3://bucket/', ann_file='train.txt'),
    dict(data_prefix='http://127.0.0.1:1/train'),
    dict(data_prefix=dict(img_path='cluster:s3://bucket/train')),
    dict(data_prefix='train', backend_args=dict(backend='petrel')),
    dict(
        data_prefix='train',
        pipeline=[
            dict(
                type='LoadImageFromFile',
                backend_args=dict(backend='memcached'))
        ]),
])
def test_data_that_are_not_on_the_disk_are_left_alone(where):
    check_layout(dict(type='CustomDataset', **where))


def test_data_that_the_config_says_are_on_the_disk_are_looked_for(tmp_path):
    with pytest.raises(UserError, match='train is missing'):
        check_layout(
            dict(
                type='CustomDataset',
                data_root=str(tmp_path),
                data_prefix='train',
                backend_args=dict(backend='local')))


def test_imagenet_without_a_split_has_its_classes_in_the_root(tmp_path):
    check_layout(dict(type='ImageNet', data_root=str(tmp_path)))
    with pytest.raises(UserError, match='val is missing'):
        check_layout(
            dict(type='ImageNet', data_root=str(tmp_path), split='val'))


def test_one_split_of_the_cars_needs_no_other(tmp_path):
    (tmp_path / 'cars_train').mkdir()
    (tmp_path / 'devkit').mkdir()
    (tmp_path / 'devkit' / 'cars_train_annos.mat').touch()
    cars = dict(type='StanfordCars', data_root=str(tmp_path))
    check_layout(cars)
    with pytest.raises(UserError, match='cars_test_annos_withlabels.mat is'):
        check_layout(dict(cars, split='test'))


@DATASETS.register_module(force=True)
class Elsewhere(BaseDataset):
    """Does not join its folders and lists."""

    def _join_prefix(self):
        """Leave paths as they are."""


def test_a_class_of_the_users_own_may_look_elsewhere():
    check_layout(dict(type='Elsewhere', data_root='a', ann_file='b/c.txt'))


def test_lists_of_files_are_left_to_the_class():
    check_layout(dict(type='CustomDataset', ann_file=['a.txt', 'b.txt']))


def test_a_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'images').mkdir()
    dataset = dict(type='CustomDataset', data_prefix='~/images')
    check_layout(dataset)
    with pytest.raises(UserError, match=f'{tmp_path}/a.txt is missing'):
        check_layout(dict(dataset, ann_file='~/a.txt'))
