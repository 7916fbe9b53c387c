# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image
from torch import nn

from common import (build_distiller, feature_maps, feature_module,
                    global_local_logits, grid_of, load_network, load_samples)
from gld_mm.config import distill, student_of
from gld_mm.errors import UserError

CONFIGS = Path(__file__).parents[3] / 'configs'
DIGITS = str(CONFIGS / 'gld/r14_r8_digits.py')


def network_and_samples(config, folder, size=32, images=2):
    """A network, or student, with random weights, and images of noise."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    model = cfg.model.get('architecture', cfg.model)
    model.backbone.init_cfg = None
    built = MODELS.build(model)
    built.init_weights()
    torch.save(built.state_dict(), folder / 'network.pth')
    torch.manual_seed(0)
    paths = [str(folder / f'{index}.png') for index in range(images)]
    for path in paths:
        noise = torch.randint(256, (size, size, 3), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(path)
    network = load_network(str(config), str(folder / 'network.pth'))
    return network, load_samples(str(config), images=paths)


def batch_of(network, samples):
    return network.data_preprocessor(
        dict(inputs=[sample.packed['inputs'] for sample in samples]))['inputs']


def test_logits_of_a_classifier_are_its_answer_and_those_of_the_cells(
        tmp_path):
    network, samples = network_and_samples(DIGITS, tmp_path)
    assert not network.training
    logits, = global_local_logits(network, samples, DIGITS)
    assert logits.shape == (2, 5, 10)
    assert grid_of(build_distiller(DIGITS)) == (2, 2)
    inputs = batch_of(network, samples)
    with torch.no_grad():
        feature = network.backbone(inputs)[0]
        answer = network(inputs)
        upper_left = network.head.fc(feature[:, :, :4, :4].mean((2, 3)))
    assert feature.shape[2:] == (8, 8)
    torch.testing.assert_close(logits[:, 0], answer)
    torch.testing.assert_close(logits[:, 1], upper_left)
    assert feature_module(network, samples, DIGITS) == 'backbone'
    first, second = feature_maps(network, samples, 'backbone')
    torch.testing.assert_close(torch.stack([first, second]), feature)


TEACHER = '''
teacher = dict(
    _delete_=True,
    type='ImageClassifier',
    backbone=dict(type='CifarResNet', depth=8, strides=(2, 2, 2)),
    neck=[dict(type='NarrowingNeck'), dict(type='GlobalAveragePooling')],
    head=dict(type='LinearClsHead', num_classes=100, in_channels=32))
'''


@MODELS.register_module(force=True)
class NarrowingNeck(nn.Module):
    """Makes the feature map, as the first neck of HRNet does."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(64, 32, 1)

    def forward(self, maps):
        return (self.conv(maps[-1]), )


def test_a_teacher_is_read_where_its_pair_says(tmp_path):
    teacher, pair = tmp_path / 'teacher.py', tmp_path / 'pair.py'
    teacher.write_text(f"_base_ = '{CONFIGS}/baseline/r8_digits.py'\n"
                       f'{TEACHER}model = teacher\n')
    pair.write_text(
        f"_base_ = '{DIGITS}'\n{TEACHER}model = dict(teacher=teacher, "
        "distiller=dict(teacher_feature='neck.0', grid=(2, 1)))\n")
    network, samples = network_and_samples(teacher, tmp_path)
    logits, = global_local_logits(network, samples, str(pair))
    assert logits.shape == (2, 3, 100)
    assert grid_of(build_distiller(str(pair))) == (2, 1)
    inputs = batch_of(network, samples)
    with torch.no_grad():
        feature, = network.neck[0](network.backbone(inputs))
        answer = network(inputs)
        upper = network.head.fc(feature[:, :, :2].mean((2, 3)))
    assert feature.shape[2:] == (4, 4)
    torch.testing.assert_close(logits[:, 0], answer)
    torch.testing.assert_close(logits[:, 1], upper)
    assert feature_module(network, samples, str(pair)) == 'neck.0'
    # It is found by trial if the config does not name it.
    pair.write_text(pair.read_text().replace("teacher_feature='neck.0', ", ''))
    network, samples = network_and_samples(teacher, tmp_path)
    assert feature_module(network, samples, str(pair)) == 'neck.0'
    student, _ = network_and_samples(DIGITS, tmp_path)
    assert feature_module(student, samples, str(pair)) == 'backbone'


def test_a_teacher_of_more_classes_has_those_of_the_student(tmp_path):
    teacher, pair = tmp_path / 'teacher.py', tmp_path / 'pair.py'
    teacher.write_text(f"_base_ = '{CONFIGS}/baseline/r14_digits.py'\n"
                       'model = dict(head=dict(num_classes=20))\n')
    pair.write_text(
        f"_base_ = '{DIGITS}'\nmodel = dict(teacher=dict(head=dict("
        'num_classes=20)), teacher_classes=list(range(19, 9, -1)))\n')
    network, samples = network_and_samples(teacher, tmp_path)
    with torch.no_grad():
        answer = network(batch_of(network, samples))
    logits, = global_local_logits(network, samples, str(pair))
    torch.testing.assert_close(logits[:, 0], answer[:, range(19, 9, -1)])


def test_logits_of_a_detector_are_one_set_a_level_and_anchor(tmp_path):
    pytest.importorskip('mmdet')
    config = str(CONFIGS / 'gld/ssd300_r34_r18_voc.py')
    network, samples = network_and_samples(config, tmp_path, images=1)
    sets = global_local_logits(network, samples, config)
    # Anchors 4, 6, 6, 6, 4, 4; the last level has one position.
    assert [s.shape for s in sets] == [(1, 5, 21)] * 26 + [(1, 1, 21)] * 4
    assert feature_module(network, samples, config) == 'backbone'


def test_the_student_of_a_detector_with_sigmoids_is_refused(tmp_path):
    pytest.importorskip('mmdet')
    student, teacher = (f'mmdet::retinanet/retinanet_r{depth}_fpn_1x_coco.py'
                        for depth in (18, 50))
    pair = tmp_path / 'pair.py'
    distill(student, teacher, 'any.pth').dump(pair)
    network = MODELS.build(student_of(Config.fromfile(pair)).model)
    with pytest.raises(UserError, match='draw those of the teacher'):
        global_local_logits(network, [], str(pair))
    assert build_distiller(str(pair)).sigmoid
    assert not build_distiller(DIGITS).sigmoid
    # The map of its backbone can be drawn all the same.
    assert feature_module(network, [], str(pair)) == 'backbone'


def test_logits_of_another_segmentation_head_are_its_pooled_scores(tmp_path):
    pytest.importorskip('mmseg')
    config = tmp_path / 'fcn_pair.py'
    config.write_text(f"""
_base_ = '{CONFIGS}/gld/deeplabv3plus_r34_r18_voc12aug.py'
fcn = dict(_delete_=True, type='FCNHead', in_channels=512, in_index=3,
           channels=16, num_classes=21, norm_cfg=dict(type='BN'),
           align_corners=False, loss_decode=dict(type='CrossEntropyLoss'))
model = dict(architecture=dict(decode_head=fcn),
             teacher=dict(decode_head=fcn))
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
""")
    network, samples = network_and_samples(config, tmp_path, 64, images=1)
    logits, = global_local_logits(network, samples, str(config))
    assert logits.shape == (1, 5, 21)
    data = network.data_preprocessor(
        dict(
            inputs=[samples[0].packed['inputs']],
            data_samples=[samples[0].packed['data_samples']]))
    with torch.no_grad():
        scores = network.decode_head(network.backbone(data['inputs']))
    torch.testing.assert_close(logits[:, 0], scores.mean((2, 3)))
    half = scores.shape[2] // 2
    torch.testing.assert_close(logits[:, 4], scores[:, :, half:, half:].mean(
        (2, 3)))


def test_a_checkpoint_of_another_network_is_an_error(tmp_path):
    network_and_samples(DIGITS, tmp_path)
    with pytest.raises(UserError, match='is of another network'):
        load_network(
            str(CONFIGS / 'baseline/r20_cifar100.py'),
            str(tmp_path / 'network.pth'))
