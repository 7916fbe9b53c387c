# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from gld_mm.analysis import (feature_maps_of, global_local_logits_of,
                             load_network, load_samples)
from gld_mm.utils import UserError

CONFIGS = Path(__file__).parents[2] / 'configs'


def network_and_samples(name, folder, indices=(0, 1)):
    """A student with random weights, and images of noise."""
    from PIL import Image
    config = str(CONFIGS / f'{name}.py')
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    student = cfg.model.architecture
    student.backbone.init_cfg = None
    built = MODELS.build(student)
    built.init_weights()
    torch.save(built.state_dict(), folder / 'student.pth')
    torch.manual_seed(0)
    paths = [str(folder / f'{index}.png') for index in indices]
    for path in paths:
        noise = torch.randint(256, (32, 32, 3), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(path)
    network = load_network(config, str(folder / 'student.pth'))
    return network, load_samples(config, images=paths)


def test_logits_of_a_classifier_are_its_answer_and_those_of_the_cells(
        tmp_path):
    network, samples = network_and_samples('gld/r14_r8_digits', tmp_path)
    assert not network.training
    logits, = global_local_logits_of(network, samples)
    assert logits.shape == (2, 5, 100)
    inputs = network.data_preprocessor(
        dict(inputs=[sample.packed['inputs'] for sample in samples]))
    with torch.no_grad():
        feature = network.backbone(inputs['inputs'])[0]
        answer = network(inputs['inputs'])
        upper_left = network.head.fc(feature[:, :, :2, :2].mean((2, 3)))
    assert feature.shape[2:] == (4, 4)
    torch.testing.assert_close(logits[:, 0], answer)
    torch.testing.assert_close(logits[:, 1], upper_left)
    first, second = feature_maps_of(network, samples)
    torch.testing.assert_close(torch.stack([first, second]), feature)


def test_logits_of_a_detector_are_one_set_a_level_and_anchor(tmp_path):
    pytest.importorskip('mmdet')
    network, samples = network_and_samples('gld/ssd300_r34_r18_voc', tmp_path,
                                           [0])
    sets = global_local_logits_of(network, samples)
    # Anchors 4, 6, 6, 6, 4, 4; the last level has one position.
    assert [s.shape for s in sets] == [(1, 5, 21)] * 26 + [(1, 1, 21)] * 4


def test_a_checkpoint_of_another_network_is_an_error(tmp_path):
    network_and_samples('gld/r14_r8_digits', tmp_path)
    with pytest.raises(UserError, match='is of another network'):
        load_network(
            str(CONFIGS / 'baseline/r20_cifar100.py'),
            str(tmp_path / 'student.pth'))
