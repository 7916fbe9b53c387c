# Copyright (c) gld_mm authors. All rights reserved.
"""GLD inside the stock SSD300, on two made-up images."""
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

pytest.importorskip('mmdet')
pytestmark = pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
CONFIGS = Path(__file__).parents[3] / 'configs'
PATHS = dict(gld='gld/ssd300_r34_r18_voc.py', kd='kd/kd_ssd300_r34_r18_voc.py')


@pytest.fixture(scope='module', params=['gld', 'kd'])
def model(request):
    cfg = Config.fromfile(CONFIGS / PATHS[request.param])
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg.model.teacher_ckpt = None
    cfg.model.teacher.backbone.depth = 18
    cfg.model.architecture.backbone.init_cfg = None
    network = MODELS.build(cfg.model)
    network.init_weights()
    torch.manual_seed(1)
    network.teacher.init_weights()
    return request.param, network.train()


@pytest.fixture(scope='module')
def batch(model):
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData
    images, samples = [], []
    for label in range(2):
        images.append(torch.randint(0, 256, (3, 300, 300), dtype=torch.uint8))
        boxes = torch.tensor([[50., 60., 200., 220.]])
        sample = DetDataSample(
            metainfo=dict(
                img_shape=(300, 300),
                ori_shape=(300, 300),
                scale_factor=(1., 1.)))
        sample.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.tensor([label]))
        samples.append(sample)
    return model[1].data_preprocessor(
        dict(inputs=images, data_samples=samples), True)


@pytest.fixture(scope='module')
def plain(model):
    """The student as its own config builds it, with the same weights."""
    cfg = Config.fromfile(CONFIGS / PATHS[model[0]])
    init_default_scope('mmdet')
    network = MODELS.build(cfg.model.architecture)
    network.load_state_dict(model[1].state_dict())
    return network.train()


def test_the_terms_teach_the_backbone(model, batch):
    method, network = model
    losses = network(**batch, mode='loss')
    terms = {
        'gld': {'loss_global', 'loss_local', 'loss_relation'},
        'kd': {'loss_kl'}
    }[method]
    assert set(losses) == {'student.loss_cls', 'student.loss_bbox'
                           } | {f'distill.{term}'
                                for term in terms}
    total, logged = network.parse_losses(losses)
    assert torch.isfinite(total) and all(logged[f'distill.{t}'] > 0
                                         for t in terms)
    distilled = sum(v for k, v in losses.items() if 'distill' in k)
    gradient, = torch.autograd.grad(distilled, network.backbone.conv1.weight)
    assert gradient.norm() > 0


def test_the_task_loss_is_that_of_the_student_alone(model, plain, batch):
    _, network = model
    with torch.no_grad():
        losses = network(**batch, mode='loss')
        alone = plain(**batch, mode='loss')
    assert {
        k: sum(v)
        for k, v in losses.items() if 'student' in k
    } == {
        f'student.{k}': sum(v)
        for k, v in alone.items()
    }


def test_what_is_saved_is_the_plain_detector(model, plain):
    assert list(model[1].state_dict()) == list(plain.state_dict())


def test_it_predicts_as_the_student_alone(model, plain, batch):
    plain.load_state_dict(model[1].state_dict())
    with torch.no_grad():
        ours, alone = (
            network.eval()(**copy.deepcopy(batch),
                           mode='predict')[0].pred_instances
            for network in (model[1], plain))
    model[1].train(), plain.train()
    assert len(alone) and ours.bboxes.equal(alone.bboxes)
    assert ours.scores.equal(alone.scores)
