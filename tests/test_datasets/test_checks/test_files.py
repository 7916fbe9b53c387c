# Copyright (c) gld_mm authors. All rights reserved.
import shutil
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from mmengine.config import Config

from gld_mm.datasets.checks import files as data_check
from gld_mm.errors import UserError
from tests.fine_grained import LAYOUTS, noise

pytest.importorskip('scipy')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')
CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture(params=LAYOUTS)
def data(request, tmp_path):
    """The training set of a shipped config, with images of three classes."""
    cfg = Config.fromfile(CONFIGS / 'baseline' / f'r18_{request.param}.py')
    LAYOUTS[request.param](tmp_path / 'data', noise(tmp_path / 'images'))
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(tmp_path / 'data')
    return dataset


def test_a_whole_dataset_passes(data):
    dataset = data_check.build_dataset(data)
    assert len(dataset) == 6
    data_check.check_samples(dataset, None)
    assert all(map(data_check.is_readable, data_check.files(dataset)))


def test_a_wrong_folder_names_what_is_missing_and_the_layout(data, tmp_path):
    data.data_root = str(tmp_path / 'nowhere')
    with pytest.raises(UserError) as error:
        data_check.check_layout(data)
    line, = str(error.value).splitlines()
    assert line.startswith(f'{data.type}: {tmp_path}/nowhere/')
    assert f'is missing. Expected below {tmp_path}/nowhere: ' in line


def test_a_half_unpacked_archive_names_the_first_missing_image(data):
    dataset = data_check.build_dataset(data)
    paths = list(data_check.files(dataset))
    Path(paths[2]).unlink()
    Path(paths[4]).unlink()
    with pytest.raises(UserError) as error:
        data_check.check_samples(dataset, None)
    assert str(error.value).startswith(
        f'{data.type}: 2 of 6 images are listed but missing, {paths[2]} the '
        'first')


def test_a_cut_off_image_is_not_readable(data):
    path = next(data_check.files(data_check.build_dataset(data)))
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:len(content) // 2])
    assert not data_check.is_readable(path)


def test_labels_beyond_the_head_are_an_error(data):
    dataset = data_check.build_dataset(data)
    with pytest.raises(UserError, match='classes, the head 2|labels up to 2'):
        data_check.check_samples(dataset, 2)


def test_an_unreadable_annotation_is_one_line(data):
    layout, *_ = data_check.LAYOUTS[data.type]
    (Path(data.data_root) / layout[0]).write_bytes(b'no annotation \xff\n')
    with pytest.raises(UserError, match='cannot be read: ') as error:
        data_check.build_dataset(data)
    assert len(str(error.value).splitlines()) == 1


def folders(root, *names):
    images = noise(root / 'images')
    for number, name in enumerate(names):
        (root / 'train' / name).mkdir(parents=True)
        shutil.copy(images[number][0], root / 'train' / name / 'x.jpg')
    (root / 'val').mkdir()
    return dict(type='CustomDataset', data_root=str(root / 'train'))


def test_another_number_of_class_folders_is_an_error(tmp_path):
    dataset = data_check.build_dataset(folders(tmp_path, 'cat', 'dog'))
    with pytest.raises(UserError, match='has 2 classes, the head 3'):
        data_check.check_samples(dataset, 3)
    data_check.check_samples(dataset, 2)


def test_imagenet_with_other_folders_is_an_error(tmp_path):
    folders(tmp_path, 'n01440764')
    cfg = dict(type='ImageNet', data_root=str(tmp_path), split='train')
    with pytest.raises(UserError, match=r'subfolders \(1\) doesn.t match'):
        data_check.build_dataset(cfg)


def test_files_that_a_config_names_itself_have_to_be_there(tmp_path):
    dataset = dict(
        type='ImageNet',
        data_root=str(tmp_path),
        data_prefix='ILSVRC/train',
        ann_file='mine.txt')
    with pytest.raises(UserError, match='mine.txt is missing'):
        data_check.check_layout(dataset)
    (tmp_path / 'mine.txt').write_text('a.jpg 0')
    (tmp_path / 'ILSVRC' / 'train').mkdir(parents=True)
    data_check.check_layout(dataset)


def test_a_plain_torch_dataset_passes():
    from torch.utils.data import TensorDataset
    data_check.check_samples(TensorDataset(torch.zeros(2)), 10)


def test_a_dataset_of_another_kind_passes():
    data_check.check_layout(dict(type='Mine', data_root='nowhere'))
    data_check.check_layout(dict(type='CUB', data_root='s3://bucket/cub'))


def test_the_datasets_of_a_config_are_listed_once():
    cfg = Config.fromfile(CONFIGS / 'gld' / 'r34_r18_cub200.py')
    found = data_check.dataset_cfgs(cfg)
    assert list(found) == ['train', 'val']
    assert data_check.head_classes(cfg) == 200


def test_a_download_that_fails_says_where_the_data_go(tmp_path, monkeypatch):

    def fail(*args, **kwargs):
        raise URLError('no network')

    monkeypatch.setattr(
        'mmpretrain.datasets.cifar.download_and_extract_archive', fail)
    with pytest.raises(
            UserError,
            match=f'^CIFAR100 is not in {tmp_path}, or .*failed: no network'):
        data_check.build_dataset(
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
    data_check.check_layout(dict(type='CustomDataset', **where))


def test_files_of_another_backend_are_not_looked_for(tmp_path):
    cfg = folders(tmp_path, 'cat', 'dog')
    cfg['pipeline'] = [dict(type='LoadImageFromFile')]
    dataset = data_check.build_dataset(cfg)
    (tmp_path / 'train' / 'cat' / 'x.jpg').unlink()
    with pytest.raises(UserError, match='1 of 2 images are listed but'):
        data_check.check_samples(dataset, 2)
    dataset.pipeline.transforms[0].backend_args = dict(backend='petrel')
    data_check.check_samples(dataset, 2)


@pytest.mark.parametrize('model, classes', [
    (dict(head=dict(num_classes=7)), 7),
    (dict(architecture=dict(head=dict(num_classes=7)), teacher={}), 7),
    (dict(decode_head=[dict(
        num_classes=7), dict(num_classes=7)]), 7),
    (dict(bbox_head=[dict(
        num_classes=7), dict(num_classes=8)]), None),
    (dict(head=dict(type='MAEPretrainHead')), None),
    (dict(head=None), None),
    (dict(), None),
])
def test_the_classes_of_a_head_are_found(model, classes):
    assert data_check.head_classes(Config(dict(model=model))) == classes
    assert data_check.head_classes(Config(dict())) is None
