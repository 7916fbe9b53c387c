# Copyright (c) gld_mm authors. All rights reserved.
"""The user's commands on the shipped DeepLabV3+ config, with drawn images."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

from ..voc import SIZE, voc_devkit

pytest.importorskip('mmseg')
ROOT = Path(__file__).parents[2]
CONFIG = 'configs/gld/deeplabv3plus_r34_r18_voc12aug.py'


def run(tool, *args):
    result = subprocess.run([sys.executable, ROOT / 'tools' / tool, *args],
                            capture_output=True,
                            text=True)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with a config that inherits the shipped one, and its run."""
    folder = tmp_path_factory.mktemp('voc')
    voc_devkit(folder / 'data', images=2)
    root = folder / 'data/VOC2012'
    (folder / 'mine.py').write_text(f"""
_base_ = '{ROOT / CONFIG}'
train_cfg = dict(max_epochs=1, val_interval=1)
train_pipeline = [dict(step) for step in _base_.train513_pipeline]
train_pipeline[2]['scale'] = (520, 130)
train_pipeline[3]['crop_size'] = (129, 129)
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(datasets=[
        dict(part, data_root='{root}', pipeline=train_pipeline)
        for part in _base_.train_dataloader.dataset.datasets]))
test_pipeline = [dict(step) for step in _base_.test_pipeline]
test_pipeline[1]['scale'] = (520, 130)
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(data_root='{root}', pipeline=test_pipeline))
test_dataloader = val_dataloader
data_preprocessor = dict(size=(129, 129))
model = dict(
    architecture=dict(
        data_preprocessor=dict(size=(129, 129)),
        backbone=dict(init_cfg=None)),
    teacher=dict(backbone=dict(depth=18)),
    teacher_ckpt='{folder}/teacher.pth')
randomness = dict(seed=0)
""")
    init_default_scope('mmseg')
    teacher = MODELS.build(Config.fromfile(folder / 'mine.py').model.teacher)
    torch.save(dict(state_dict=teacher.state_dict()), folder / 'teacher.pth')
    code, log = run('train.py', folder / 'mine.py', '--work-dir',
                    folder / 'run')
    assert code == 0, log
    return folder, log


def test_training_logs_the_teacher_and_the_student(trained):
    folder, text = trained
    log, = folder.glob('run/*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {'teacher/mIoU', 'mIoU'} <= set().union(*lines)
    assert 'Epoch(val) [1][2/2]' in text


def test_the_checkpoint_is_a_plain_segmentation_network(trained):
    folder, _ = trained
    cfg = Config.fromfile(ROOT / 'configs/baseline' /
                          'deeplabv3plus_r18_voc12aug.py')
    init_default_scope('mmseg')
    network = MODELS.build(cfg.model)
    checkpoint = torch.load(folder / 'run/epoch_1.pth', weights_only=False)
    network.load_state_dict(checkpoint['state_dict'], strict=True)


def test_the_student_is_tested_drawn_compared_and_exported(trained):
    folder, _ = trained
    weights = folder / 'run/epoch_1.pth'
    code, log = run('test.py', folder / 'mine.py', weights, '--out',
                    folder / 'metrics.json', '--out-item', 'metrics',
                    '--show-dir', folder / 'drawn', '--work-dir',
                    folder / 'test')
    assert code == 0, log
    assert len(list(folder.glob('drawn/**/*.png'))) == 2
    metrics = json.loads((folder / 'metrics.json').read_text())
    assert 0 <= metrics['mIoU'] <= 100
    code, log = run('analysis/compare_predictions.py', '--out',
                    folder / 'side.png', '--network', 'student',
                    folder / 'mine.py', weights, '--index', '0', '1')
    assert code == 0, log
    assert Image.open(folder / 'side.png').size == (800, 640)
    code, log = run('export_student.py', folder / 'mine.py', weights,
                    folder / 'student.pth')
    assert code == 0, log
    code, log = run('test.py', folder / 'student.py', folder / 'student.pth',
                    '--out', folder / 'exported.json', '--out-item', 'metrics',
                    '--work-dir', folder / 'test')
    assert code == 0, log
    assert json.loads((folder / 'exported.json').read_text()) == metrics


def test_the_student_is_tested_by_the_tta_pipeline_of_mmseg(trained):
    folder, _ = trained
    code, log = run('test.py', folder / 'mine.py', folder / 'run/epoch_1.pth',
                    '--tta', '--work-dir', folder / 'tta')
    assert code == 0, log
    assert "type='TestTimeAug'" in log and 'mIoU' in log


def test_a_label_of_no_class_is_found_among_all_masks(trained):
    folder, _ = trained
    masks = folder / 'data/VOC2012/SegmentationClassAug'
    path = sorted(masks.iterdir())[0]
    content = path.read_bytes()
    Image.new('L', SIZE, 77).save(path)
    code, log = run('check_data.py', folder / 'mine.py')
    assert (code, log.count('has the label 77')) == (1, 1)
    path.write_bytes(content)
