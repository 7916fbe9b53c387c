# Copyright (c) gld_mm authors. All rights reserved.
"""A training step of each distillation config that mmrazor ships."""
import math
from importlib.util import find_spec
from pathlib import Path

import mmrazor
import pytest
import torch
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from torch import distributed as dist

pytestmark = pytest.mark.slow
FOLDER = Path(mmrazor.__file__).parent / '.mim/configs/distill'
CONFIGS = sorted(
    path.relative_to(FOLDER) for path in FOLDER.glob('*/*/*.py')
    if path.parts[-3] != 'mmdet3d' and path.parent.name != 'datasets')
# Configs that cannot be built, and which file of a host they miss
RENAMED = {
    'cwd_fpn_frcnn_r101_frcnn_r50_1x_coco':
    'faster_rcnn_r50_fpn_1x_coco.py',  # faster-rcnn_... since mmdet 3.0
    'deit-base_regnety160_pt-16xb64_in1k':
    'deit-base_pt-16xb64_in1k.py',  # deit-base_16xb64_... since mmpretrain 1.0
}
# Networks with operators that only full mmcv has
COMPILED = {
    'fbkd_fpn_faster-rcnn_r101_faster-rcnn_r50_1x_coco': 'roi_align',
    'pkd_fpn_faster-rcnn_r101_faster-rcnn_r50_2x_coco': 'roi_align',
    'pkd_fpn_reppoints_x101-dcn_reppoints_r50_2x_coco': 'deform_conv',
}
FULL = getattr(find_spec('mmcv._ext'), 'loader', None) is not None


@pytest.fixture
def group(tmp_path):
    """A group of one process: mmrazor's generators are written for it."""
    dist.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/init', rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_it_takes_a_step_on_made_up_data(path, group):
    pytest.importorskip(path.parts[0].replace('mmcls', 'mmpretrain'))
    if path.stem in RENAMED:
        with pytest.raises(FileNotFoundError, match=RENAMED[path.stem]):
            step(path)
    elif path.stem in COMPILED and not FULL:
        with pytest.raises(ImportError, match=COMPILED[path.stem]):
            step(path)
    else:
        logs = step(path)
        assert all(math.isfinite(value) for value in logs.values()), logs
        assert any('distill' in name for name in logs)


def step(path):
    """Build the model and take a step, without any download."""
    cfg = Config.fromfile(FOLDER / path)
    forget_weights(cfg._cfg_dict)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    model.train()  # which returns None in mmrazor
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    if hasattr(model, 'generator'):
        model.generator = MMDistributedDataParallel(model.generator)
    logs = model.train_step(batch(path), optim_wrapper)
    return {name: float(value) for name, value in logs.items()}


def forget_weights(node):
    """Take the names of files to download out of a config."""
    if isinstance(node, dict):
        for key in ('teacher_ckpt', 'ckpt_path'):
            node.pop(key, None)
        if node.get('pretrained') is True:
            node['pretrained'] = False
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            forget_weights(child)


def batch(path):
    """Two images of noise with what their host annotates."""
    size = 32 if 'cifar' in path.stem else 64
    make = classified
    if path.parts[0] != 'mmcls':
        size, make = 128, globals()[path.parts[0]]
    images = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    return dict(
        inputs=list(images), data_samples=[make(i, size) for i in range(2)])


def classified(i, size):
    from mmpretrain.structures import DataSample
    sample = DataSample().set_gt_label(i)
    # What mmrazor's dataset for CRD adds: itself and 16,384 others
    sample.set_field(torch.tensor(i), 'sample_idx')
    sample.set_field(torch.arange(16385), 'contrast_sample_idxs')
    return sample


def mmdet(i, size):
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(size, size),
            ori_shape=(size, size),
            scale_factor=(1., 1.)))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[8., 8., 72., 90.], [40., 30., 100., 120.]]),
        labels=torch.tensor([i, 3]))
    return sample


def mmseg(i, size):
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample
    sample = SegDataSample(
        metainfo=dict(img_shape=(size, size), ori_shape=(size, size)))
    sample.gt_sem_seg = PixelData(data=torch.randint(0, 19, (1, size, size)))
    return sample
