# Copyright (c) gld_mm authors. All rights reserved.
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools' / 'export_student.py'
SSD = ROOT / 'configs/gld/ssd300_r34_r18_voc.py'
DIGITS = ROOT / 'configs/gld/r14_r8_digits.py'


@pytest.fixture(scope='module')
def module():
    spec = importlib.util.spec_from_file_location('export_student', TOOL)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def student(config, path):
    """A student with random weights and a checkpoint as training saves it."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model.architecture)
    torch.save(
        dict(
            meta=dict(epoch=3, cfg='...', dataset_meta=dict(classes=['a'])),
            optimizer=dict(state={}),
            state_dict=model.state_dict()), path)
    return model.eval()


def test_a_detector_is_one_of_mmdet_alone(module, tmp_path):
    pytest.importorskip('mmdet')
    model = student(SSD, tmp_path / 'epoch_3.pth')
    config = module.export(
        str(SSD), str(tmp_path / 'epoch_3.pth'), tmp_path / 'out.pth')
    checkpoint = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert checkpoint['meta'] == dict(
        epoch=3, dataset_meta=dict(classes=['a']))
    assert set(checkpoint) == {'meta', 'state_dict'}
    text = config.read_text()
    assert 'gld_mm' not in text and 'teacher' not in text
    again = MODELS.build(Config.fromfile(config).model).eval()
    again.load_state_dict(checkpoint['state_dict'], strict=True)
    image = torch.rand(1, 3, 300, 300)
    with torch.no_grad():
        for new, old in zip(again(image)[0], model(image)[0]):
            assert torch.equal(new, old)


def test_a_student_of_our_own_classes_imports_gld_mm(module, tmp_path):
    student(DIGITS, tmp_path / 'epoch_3.pth')
    config = module.export(
        str(DIGITS), str(tmp_path / 'epoch_3.pth'), tmp_path / 'out.pth')
    uses = 'gld_mm' in type(
        MODELS.build(Config.fromfile(config).model).backbone).__module__
    assert ('custom_imports' in config.read_text()) == uses


@pytest.mark.parametrize('content, reason', [
    (None, 'cannot be read'),
    (b'no checkpoint', 'cannot be read'),
    (dict(state_dict=dict(x=torch.zeros(1))), 'is of another network'),
])
def test_what_is_no_student_is_one_line_and_keeps_the_old_file(
        content, reason, tmp_path):
    source, out = tmp_path / 'epoch_3.pth', tmp_path / 'out.pth'
    out.write_text('old')
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content:
        torch.save(content, source)
    result = subprocess.run([sys.executable, TOOL, DIGITS, source, out],
                            capture_output=True,
                            text=True)
    assert result.returncode == 1
    assert reason in result.stderr.splitlines()[-1]
    assert 'Traceback' not in result.stderr
    assert out.read_text() == 'old'
