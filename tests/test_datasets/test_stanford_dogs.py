# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.datasets import StanfordDogs

from ..fine_grained import dogs120, noise

pytest.importorskip('scipy')
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


@pytest.fixture
def root(tmp_path):
    dogs120(tmp_path / 'dogs', noise(tmp_path / 'images'))
    return str(tmp_path / 'dogs')


@pytest.mark.parametrize('split, number', [('train', 6), ('test', 6)])
def test_it_reads_the_list_of_its_split(root, split, number):
    dataset = StanfordDogs(
        root, split, pipeline=[dict(type='LoadImageFromFile')])
    assert len(dataset) == number
    assert dataset.get_gt_labels().tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.metainfo['classes'] == ('Breed_0', 'Breed_1', 'Breed_2')
    assert dataset[1]['img'].shape == (40, 50, 3)


def test_training_and_test_images_are_not_the_same(root):
    paths = [{
        dataset.get_data_info(i)['img_path']
        for i in range(len(dataset))
    } for dataset in (StanfordDogs(root, 'train'), StanfordDogs(root, 'test'))]
    assert not paths[0] & paths[1]


def test_another_split_is_an_error(root):
    with pytest.raises(ValueError, match='got "val"'):
        StanfordDogs(root, 'val')
