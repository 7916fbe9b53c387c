# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.registry import DATASETS, init_default_scope

from .configs import count, load, names, on_meta
from .transfer import (assert_only_the_backbone_differs,
                       assert_the_imagenet_student_is_its_backbone)

pytest.importorskip('mmseg')

DATA = dict(voc12aug=(50, 0.007), coco=(40, 0.001))
HEADS = ('deeplabv3plus', 'deeplabv3plus-plain')


def test_there_is_a_config_of_each_method_head_and_dataset():
    roles = [('baseline/', 'r18'), ('baseline/', 'r34'), ('gld/', 'r34_r18'),
             ('kd/kd_', 'r34_r18'), ('transfer/', 'r18-gld')]
    assert names('mmseg') == sorted(f'{role}{head}_{pair}_{data}.py'
                                    for role, pair in roles for head in HEADS
                                    for data in DATA)


@pytest.mark.parametrize('name', names('mmseg'))
def test_the_recipe_is_that_of_the_paper(name):
    cfg = load(name)
    epochs, lr = DATA[name.split('_')[-1][:-3]]
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum,
            optimizer.weight_decay) == ('SGD', lr, 0.9, 5e-4)
    poly, = cfg.param_scheduler
    assert (poly.type, poly.power, poly.eta_min, poly.end, poly.by_epoch,
            poly.convert_to_iter_based) == ('PolyLR', 0.9, 0, epochs, True,
                                            True)
    assert (cfg.train_cfg.type,
            cfg.train_cfg.max_epochs) == ('EpochBasedTrainLoop', epochs)
    assert cfg.train_dataloader.batch_size == 16
    network = cfg.model.get('architecture', cfg.model)
    # What the runner gives a model without a preprocessor of its own.
    cfg.data_preprocessor.pop('_scope_')
    assert cfg.data_preprocessor == network.data_preprocessor
    assert network.data_preprocessor.size == (513, 513)
    assert network.pretrained is None and network.auxiliary_head is None
    assert 'SyncBN' not in str(network) and cfg.sync_bn == 'torch'


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('data', DATA)
@pytest.mark.parametrize(
    'head, teacher, student',
    [
        # Table 6 of the paper: 26.72M and 16.61M.
        ('deeplabv3plus-plain', 26_716_341, 16_608_181),
        ('deeplabv3plus', 25_068_229, 14_960_069),
    ])
def test_teacher_and_student_have_the_sizes_in_the_docs(
        head, data, teacher, student):
    model = on_meta(f'gld/{head}_r34_r18_{data}.py')
    assert (count(model.teacher), count(model)) == (teacher, student)
    assert count(on_meta(f'baseline/{head}_r18_{data}.py')) == student
    assert count(on_meta(f'baseline/{head}_r34_{data}.py')) == teacher


@pytest.mark.parametrize('head', HEADS)
def test_the_output_stride_is_16_and_scores_are_at_a_quarter(head):
    model = on_meta(f'baseline/{head}_r18_voc12aug.py').eval()
    features = model.extract_feat(torch.zeros(1, 3, 65, 97, device='meta'))
    scores = model.decode_head.forward(features)
    assert [tuple(f.shape[1:])
            for f in features] == [(64, 17, 25), (128, 9, 13), (256, 5, 7),
                                   (512, 5, 7)]
    assert scores.shape == (1, 21, 17, 25)


@pytest.mark.parametrize('data', DATA)
@pytest.mark.parametrize('head', HEADS)
def test_kd_and_the_baseline_differ_from_gld_in_the_method_only(head, data):
    gld = load(f'gld/{head}_r34_r18_{data}.py')
    kd = load(f'kd/kd_{head}_r34_r18_{data}.py')
    baseline = load(f'baseline/{head}_r18_{data}.py')
    kd.pop('kd'), kd.pop('scores'), gld.pop('gld')
    kd.model.pop('type'), gld.model.pop('type')
    theirs, ours = kd.model.pop('distiller'), gld.model.pop('distiller')
    assert theirs.connectors.rows.cls_out_channels == ours.cls_out_channels
    for recorders in (theirs.student_recorders, theirs.teacher_recorders):
        assert recorders.scores.source == ours.scores
    assert kd.to_dict() == gld.to_dict()
    assert gld.model.architecture == baseline.model


@pytest.mark.parametrize('data', DATA)
@pytest.mark.parametrize('head', HEADS)
def test_transfer_rows_differ_in_the_backbone_only(head, data):
    assert_only_the_backbone_differs(head, data)


def test_the_imagenet_student_is_the_backbone_as_it_is_saved(tmp_path):
    assert_the_imagenet_student_is_its_backbone(
        'transfer/deeplabv3plus_r18-gld_voc12aug.py', 'mmseg', tmp_path)


def test_voc_is_trained_on_its_own_masks_and_sbd_and_coco_on_converted_ones():
    voc = load('baseline/deeplabv3plus_r18_voc12aug.py')
    assert [(d.ann_file.split('/')[-1], d.data_prefix.seg_map_path)
            for d in voc.train_dataloader.dataset.datasets
            ] == [('train.txt', 'SegmentationClass'),
                  ('aug.txt', 'SegmentationClassAug')]
    coco = load('baseline/deeplabv3plus_r18_coco.py')
    assert [
        loader.dataset.ann_file
        for loader in (coco.train_dataloader, coco.val_dataloader)
    ] == ['voc21/train2017.txt', 'voc21/val2017.txt']


@pytest.mark.parametrize('head, size', [('deeplabv3plus', (30, 40)),
                                        ('deeplabv3plus-plain', (513, 513))])
@pytest.mark.parametrize('data', DATA)
def test_evaluation_is_of_whole_images_or_as_the_papers_code_family_does_it(
        head, size, data, tmp_path):
    from PIL import Image
    Image.new('RGB', (40, 30)).save(tmp_path / 'a.jpg')
    mask = Image.new('L', (40, 30))
    # Four pixels from each side: outside of the square in the middle.
    mask.paste(12, (0, 0, 4, 30))
    mask.save(tmp_path / 'a.png')
    (tmp_path / 'list.txt').write_text('a\n')
    cfg = load(f'baseline/{head}_r18_{data}.py')
    assert cfg.test_dataloader == cfg.val_dataloader
    init_default_scope('mmseg')
    dataset = DATASETS.build(
        dict(
            cfg.test_dataloader.dataset,
            data_root=str(tmp_path),
            data_prefix=dict(img_path='.', seg_map_path='.'),
            ann_file='list.txt'))
    sample = dataset[0]
    assert sample['inputs'].shape == ((3, 512, 683) if size == (30, 40) else
                                      (3, 513, 513))
    data_sample = sample['data_samples']
    # The prediction is resized to ori_shape and compared with the mask.
    assert tuple(data_sample.ori_shape) == size
    assert tuple(data_sample.gt_sem_seg.shape) == size
    assert (12 in data_sample.gt_sem_seg.data) == (size == (30, 40))
