# Copyright (c) gld_mm authors. All rights reserved.
import copy
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from gld_mm.datasets.checks.boxes import check_boxes
from gld_mm.datasets.checks.build import build_dataset, check_layout
from gld_mm.datasets.checks.items import files
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.errors import UserError
from tests.voc import voc_devkit, write_xml

pytest.importorskip('mmdet')
CONFIGS = Path(__file__).parents[3] / 'configs'
XML = 'VOC2012/Annotations/2012_000002.xml'


@pytest.fixture(scope='module')
def shipped():
    cfg = Config.fromfile(CONFIGS / 'baseline' / 'ssd300_r18_voc.py')
    return cfg.train_dataloader.dataset


@pytest.fixture
def data(tmp_path, shipped):
    """Folder and config of a good training set of 07 and 12."""
    init_default_scope('mmdet')
    voc_devkit(tmp_path)
    cfg = copy.deepcopy(shipped)
    for part in cfg.datasets:
        part.data_root = f'{tmp_path}/'
    return tmp_path, cfg


def check(cfg, num_classes=20):
    check_samples(build_dataset(cfg), num_classes)


def test_a_good_one_passes_and_all_its_images_are_found(data):
    check(data[1])
    assert len(list(files(build_dataset(data[1])))) == 8


@pytest.mark.parametrize('folder', [
    'VOC2012/Annotations', 'VOC2007/JPEGImages',
    'VOC2012/ImageSets/Main/trainval.txt'
])
def test_a_missing_folder_or_list_is_named(data, folder):
    root, cfg = data
    (root / folder).rename(root / 'elsewhere')
    with pytest.raises(UserError, match=f'VOCDataset: {root}/{folder} is mis'):
        check_layout(cfg)


def test_a_missing_annotation_is_named(data):
    root, cfg = data
    (root / XML).unlink()
    with pytest.raises(UserError, match=f'cannot be read.*{XML}'):
        check(cfg)


def test_a_class_that_mmdet_leaves_out_is_a_warning(data, lines):
    root, cfg = data
    check(cfg)
    assert lines == []
    write_xml(root / XML, [('zebra', 1, 1, 9, 9), ('emu', 1, 1, 9, 9)])
    check(cfg)
    assert lines == [
        'VOCDataset leaves out objects of emu, zebra, which '
        'metainfo.classes of the dataset does not name.'
    ]


@pytest.mark.parametrize('name, known', [('Dog', 'dog'),
                                         ('dining table', 'diningtable')])
def test_a_class_that_is_spelt_otherwise_is_an_error(data, name, known):
    root, cfg = data
    write_xml(root / XML, [(name, 1, 1, 9, 9)])
    with pytest.raises(
            UserError,
            match=f'{XML}: the class "{name}" is "{known}" of VOCDataset'):
        check(cfg)


def test_a_class_of_voc_may_be_left_out_on_purpose(data):
    for part in data[1].datasets:
        part.metainfo = dict(classes=('dog', ))
    check(data[1], num_classes=1)


def test_a_box_without_area_is_named(data):
    root, cfg = data
    write_xml(root / XML, [('dog', 9, 1, 9, 30)])
    with pytest.raises(
            UserError, match=rf'{XML}: the box \[8, 0, 8, 29\] has'):
        check(cfg)
    for part in cfg.datasets:  # mmdet ignores what is smaller.
        part.filter_cfg = dict(bbox_min_size=9)
    check(cfg)


def test_classes_may_be_those_of_the_config_alone(data, lines):
    part = data[1].datasets[1]
    part.type = 'XMLDataset'
    part.metainfo = dict(classes=('dog', ))
    check(part, num_classes=1)
    assert len(lines) == 1 and 'XMLDataset leaves out objects of ' in lines[0]
    part.metainfo = dict(classes=('zebra', ))
    part.filter_cfg = None
    with pytest.raises(UserError, match='No object is left to learn: XMLData'):
        check(part, num_classes=1)


def test_names_that_lie_elsewhere_are_not_looked_at(data):
    dataset = build_dataset(data[1].datasets[1])
    dataset.ann_subdir = 'elsewhere'
    check_boxes([dataset])


def test_an_empty_list_is_an_error(data):
    root, cfg = data
    (root / 'VOC2007/ImageSets/Main/trainval.txt').write_text('')
    with pytest.raises(
            UserError, match='VOC2007/ImageSets/Main/trainval.txt is em'):
        check(cfg)


def test_another_number_of_classes_is_an_error(data):
    with pytest.raises(UserError, match='has 20 classes, the head 80'):
        check(data[1], num_classes=80)


def test_folders_may_have_names_of_their_own(data):
    root, cfg = data
    for old, new in (('Annotations', 'xml'), ('JPEGImages', 'photos')):
        (root / 'VOC2007' / old).rename(root / 'VOC2007' / new)
    part = cfg.datasets[0]
    part.update(ann_subdir='xml', img_subdir='photos')
    part.data_prefix.sub_data_root = 'VOC2007'  # with or without a slash
    check(part)
    part.ann_subdir = 'elsewhere'
    with pytest.raises(UserError, match='VOC2007/elsewhere is missing'):
        check_layout(part)


def test_boxes_of_eight_numbers_are_not_judged():

    class Turned:

        def __len__(self):
            return 1

        def get_data_info(self, index):
            return dict(instances=[dict(bbox=[0, 0, 1, 0, 1, 1, 0, 1])])

    check_boxes([Turned()])
