# Copyright (c) gld_mm authors. All rights reserved.
"""What the configs of tables 5 and 6 have in common."""
from pathlib import Path

import torch
from mmengine.registry import MODELS, init_default_scope

from gld_mm.engine.checkpoint import LoadReport

from .configs import load


def assert_only_the_backbone_differs(network: str, data: str) -> None:
    """Compare teacher, student and GLD's student, on a network and a set."""
    weights = {}
    for student in ('r34', 'r18', 'r18-gld'):
        folder = 'transfer' if student == 'r18-gld' else 'baseline'
        cfg = load(f'{folder}/{network}_{student}_{data}.py')
        backbone = cfg.model.backbone
        weights[student] = (backbone.depth, backbone.init_cfg.prefix,
                            backbone.init_cfg.pop('checkpoint'))
        backbone.depth = 18
        if student == 'r34':
            first = cfg
        assert cfg.to_dict() == first.to_dict()
    assert [w[:2] for w in weights.values()] == [(34, 'backbone.'),
                                                 (18, 'backbone.'),
                                                 (18, 'backbone.')]
    assert 'resnet34' in weights['r34'][2] and 'resnet18' in weights['r18'][2]
    assert weights['r18-gld'][2] == 'work_dirs/r34_r18_in1k/epoch_100.pth'


def assert_the_imagenet_student_is_its_backbone(config: str, scope: str,
                                                folder: Path) -> None:
    """Start a network from the checkpoint that the ImageNet config saves."""
    init_default_scope('mmpretrain')
    student = MODELS.build(load('gld/r34_r18_in1k.py').model.architecture)
    path = folder / 'epoch_100.pth'
    torch.save(dict(state_dict=student.state_dict()), path)
    init_default_scope(scope)
    cfg = load(config).model
    cfg.backbone.init_cfg.checkpoint = str(path)
    network = MODELS.build(cfg)
    report = LoadReport(network.backbone)
    network.init_weights()
    assert report.loaded and not (report.missing or report.errors)
    for name, weight in network.backbone.state_dict().items():
        assert torch.equal(weight, student.state_dict()[f'backbone.{name}'])
