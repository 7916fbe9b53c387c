# Copyright (c) gld_mm authors. All rights reserved.
"""The user's commands on the shipped SSD300 config, with drawn images."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from ..voc import voc_devkit

pytest.importorskip('mmdet')
ROOT = Path(__file__).parents[2]
CONFIG = 'configs/gld/ssd300_r34_r18_voc.py'


def run(tool, *args):
    result = subprocess.run([sys.executable, ROOT / 'tools' / tool, *args],
                            capture_output=True,
                            text=True)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with a config that inherits the shipped one, and its run."""
    folder = tmp_path_factory.mktemp('voc')
    voc_devkit(folder / 'data', images=1)
    part = f"dict(data_root='{folder}/data/')"
    (folder / 'mine.py').write_text(f"""
_base_ = '{ROOT / CONFIG}'
train_cfg = dict(max_epochs=1, val_interval=1)
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(datasets=[dict(part, data_root='{folder}/data/')
                           for part in _base_.train_dataloader.dataset.datasets
                           ]))
val_dataloader = dict(batch_size=1, num_workers=0, persistent_workers=False,
                      dataset={part})
test_dataloader = val_dataloader
model = dict(
    architecture=dict(backbone=dict(init_cfg=None)),
    teacher=dict(backbone=dict(depth=18)),
    teacher_ckpt='{folder}/teacher.pth')
randomness = dict(seed=0)
""")
    init_default_scope('mmdet')
    teacher = MODELS.build(Config.fromfile(folder / 'mine.py').model.teacher)
    teacher.init_weights()  # mmdet's L2Norm has none before
    torch.save(dict(state_dict=teacher.state_dict()), folder / 'teacher.pth')
    code, log = run('train.py', folder / 'mine.py', '--work-dir',
                    folder / 'run')
    assert code == 0, log
    return folder, log


def test_training_logs_the_teacher_the_terms_and_the_student(trained):
    folder, _ = trained
    log, = folder.glob('run/*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    keys = set().union(*lines)
    assert {'teacher/pascal_voc/mAP', 'pascal_voc/mAP'} <= keys
    _, text = trained
    assert 'Epoch(val) [1][1/1]' in text


def test_the_checkpoint_is_a_plain_detector(trained):
    folder, _ = trained
    cfg = Config.fromfile(ROOT / 'configs/baseline/ssd300_r18_voc.py')
    init_default_scope('mmdet')
    network = MODELS.build(cfg.model)
    checkpoint = torch.load(folder / 'run/epoch_1.pth', weights_only=False)
    network.load_state_dict(checkpoint['state_dict'], strict=True)


def test_the_student_is_tested_and_drawn_beside_the_teacher(trained):
    folder, _ = trained
    weights = folder / 'run/epoch_1.pth'
    code, log = run('test.py', folder / 'mine.py', weights, '--out',
                    folder / 'metrics.json', '--out-item', 'metrics',
                    '--show-dir', 'drawn', '--work-dir', folder / 'test')
    assert code == 0, log
    assert len(list(folder.glob('test/*/drawn/*.jpg'))) == 1
    metrics = json.loads((folder / 'metrics.json').read_text())
    assert 0 <= metrics['pascal_voc/mAP'] <= 1
    code, log = run('analysis/compare_predictions.py', '--out',
                    folder / 'side.png', '--network', 'student',
                    folder / 'mine.py', weights, '--network', 'again',
                    folder / 'mine.py', weights)
    assert code == 0, log
    from PIL import Image
    assert Image.open(folder / 'side.png').size == (1200, 320)


def test_the_student_is_tested_with_mirror_images(trained):
    folder, _ = trained
    code, log = run('test.py', folder / 'mine.py', folder / 'run/epoch_1.pth',
                    '--tta', '--work-dir', folder / 'tta')
    assert code == 0, log
    assert "type='DetTTAModel'" in log and 'pascal_voc/mAP' in log
