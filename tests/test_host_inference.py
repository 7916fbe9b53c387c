# Copyright (c) gld_mm authors. All rights reserved.
"""The hosts' functions for inference take a distilled student."""
import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, RUNNERS, init_default_scope

from gld_mm.config import student_of

from .configs import load
from .conftest import distillation

IMAGE = np.random.RandomState(0).randint(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_a_run_leaves_a_config_that_mmpretrain_takes_with_its_checkpoint(
        tmp_path, mmpretrain_scope):
    from mmpretrain import ImageClassificationInferencer
    pytest.importorskip('sklearn')
    model = distillation()
    pipeline = [dict(type='PackInputs')]
    RUNNERS.build(
        Config(
            dict(
                runner_type='CheckedRunner',
                default_scope='mmpretrain',
                model=model,
                work_dir=str(tmp_path),
                train_cfg=dict(by_epoch=True, max_epochs=1),
                optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
                train_dataloader=dict(
                    batch_size=32,
                    num_workers=0,
                    sampler=dict(type='DefaultSampler', shuffle=True),
                    dataset=dict(
                        type='NoisyDigits', num_samples=32,
                        pipeline=pipeline)),
                test_dataloader=None))).train()
    path, = tmp_path.glob('*_student.py')
    cfg = Config.fromfile(path)
    assert cfg.model == dict(
        model['architecture'], data_preprocessor=model['data_preprocessor'])
    # What a config with test data has; the pipeline is all that is read.
    cfg.test_dataloader = dict(
        dataset=dict(pipeline=[dict(type='LoadImageFromFile'), *pipeline]))
    checkpoint = str(tmp_path / 'epoch_1.pth')
    inferencer = ImageClassificationInferencer(
        cfg, pretrained=checkpoint, device='cpu')
    result, = inferencer(IMAGE)
    assert len(result['pred_scores']) == 10


def test_mmdet_detects_with_the_student_of_a_distillation_config(tmp_path):
    pytest.importorskip('mmdet')
    from mmdet.apis import inference_detector, init_detector
    cfg = student_of(load('gld/ssd300_r34_r18_voc.py'))
    init_default_scope('mmdet')
    cfg.model.backbone.init_cfg = None
    path = str(tmp_path / 'student.pth')
    network = MODELS.build(cfg.model)
    network.init_weights()
    torch.save(network.state_dict(), path)
    detector = init_detector(cfg, path, device='cpu')
    loaded = detector.state_dict()
    assert all(loaded[k].equal(v) for k, v in network.state_dict().items())
    assert len(inference_detector(detector, IMAGE).pred_instances)


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_test_time_augmentation_wraps_a_distilled_student(
        batch, mmpretrain_scope):
    from mmpretrain.models import AverageClsScoreTTA
    images, samples = batch
    model = MODELS.build(distillation()).eval()
    tta = AverageClsScoreTTA(module=model)
    views = [images * 50, images.flip(3) * 50]
    results = tta.test_step(
        dict(
            inputs=[list(view) for view in views],
            data_samples=[copy.deepcopy(samples) for _ in views]))
    with torch.no_grad():
        expected = sum(model(view).softmax(1) for view in views) / 2
    torch.testing.assert_close(
        torch.stack([result.pred_score for result in results]), expected)
