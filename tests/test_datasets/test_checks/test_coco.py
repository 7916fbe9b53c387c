# Copyright (c) gld_mm authors. All rights reserved.
import copy
import json

import pytest
from mmengine.registry import init_default_scope
from PIL import Image

from gld_mm.datasets.checks.build import build_dataset
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.errors import UserError

pytest.importorskip('mmdet')

SOUND = dict(
    images=[
        dict(id=i, file_name=f'{i}.jpg', width=64, height=48) for i in (1, 2)
    ],
    categories=[
        dict(id=1, name='helmet'),
        dict(id=2, name='vest'),
        dict(id=3, name='boot')
    ],
    annotations=[
        dict(
            id=i,
            image_id=i,
            category_id=i,
            bbox=[5, 5, 20, 20],
            area=400,
            iscrowd=0) for i in (1, 2)
    ])


@pytest.fixture
def check(tmp_path):
    init_default_scope('mmdet')
    for name in ('1.jpg', '2.jpg'):
        Image.new('RGB', (64, 48)).save(tmp_path / name)

    def run(content,
            classes=('helmet', 'vest'),
            evaluated=False,
            wrap=False,
            keep=False):
        (tmp_path / 'a.json').write_text(json.dumps(content))
        dataset = dict(
            type='CocoDataset',
            data_root=str(tmp_path),
            ann_file='a.json',
            data_prefix=dict(img=''),
            metainfo=dict(classes=classes),
            filter_cfg=dict(filter_empty_gt=not keep),
            pipeline=[])
        if wrap:
            dataset = dict(type='RepeatDataset', times=2, dataset=dataset)
        return check_samples(
            build_dataset(dataset), len(classes), evaluated=evaluated)

    return run


def without(key):
    content = copy.deepcopy(SOUND)
    for part in content['annotations']:
        del part[key]
    return content


def test_a_sound_file_passes_and_names_its_labels(check):
    assert check(SOUND, evaluated=True) == ['helmet', 'vest']


def test_labels_are_named_in_the_order_of_the_file_as_mmdet_counts_them(check):
    assert check(SOUND, classes=('vest', 'helmet')) == ['helmet', 'vest']


@pytest.mark.parametrize('classes, message', [
    (('helmet', 'vests'), 'the class "vests" of metainfo.classes is none of '
     'its 3 categories: is "vest" meant[?]$'),
    (('Helmet', 'vest'), 'is "helmet" meant[?]$'),
    (('helmet', 'zebra'), 'they are helmet, vest, boot: list them in '
     'metainfo=dict[(]classes=[(]...[)][)] of each dataset.$'),
    (('Helmets', 'VESTS'), 'is "helmet" meant[?]$'),
])
@pytest.mark.parametrize('wrap', [False, True])
def test_a_class_that_is_no_category_is_named_with_the_nearest(
        check, classes, message, wrap):
    with pytest.raises(UserError, match=f'a.json: .*{message}'):
        check(SOUND, classes, wrap=wrap)


@pytest.mark.parametrize('wrap', [False, True])
def test_classes_that_are_a_text_are_an_error(check, wrap):
    with pytest.raises(
            UserError,
            match='CocoDataset: .*classes is the text "vest", .* a comma.$'):
        check(SOUND, 'vest', wrap=wrap)


@pytest.mark.parametrize('content', [
    dict(SOUND, annotations=[]), {
        k: v
        for k, v in SOUND.items() if k != 'annotations'
    }
])
@pytest.mark.parametrize('changes', [dict(), dict(keep=True, evaluated=True)])
def test_a_file_without_annotations_is_one_line(check, content, changes):
    with pytest.raises(UserError, match='a.json has no annotations'):
        check(content, **changes)


def test_images_may_be_without_annotations_on_purpose(check, lines):
    check(dict(SOUND, annotations=[]), keep=True)
    line, = lines
    assert 'a.json has no annotations: there is nothing to learn' in line


def test_an_annotation_without_area_is_one_line(check):
    with pytest.raises(UserError, match='annotation 1 has no "area".*add the'):
        check(without('area'))


def test_iscrowd_is_asked_for_where_cocos_metric_reads_it(check):
    assert check(without('iscrowd')) == ['helmet', 'vest']
    with pytest.raises(UserError, match='annotation 1 has no "iscrowd".*0.$'):
        check(without('iscrowd'), evaluated=True)
