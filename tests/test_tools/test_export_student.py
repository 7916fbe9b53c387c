# Copyright (c) gld_mm authors. All rights reserved.
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.utils import digit_version

from gld_mm.config import student_of
from gld_mm.errors import UserError

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
    cfg = Config.fromfile(config).model.architecture
    cfg.backbone.init_cfg = None
    init_default_scope(Config.fromfile(config).default_scope)
    model = MODELS.build(cfg)
    model.init_weights()  # mmdet's L2Norm has none before
    torch.save(
        dict(
            meta=dict(epoch=3, cfg='...', dataset_meta=dict(classes=['a'])),
            optimizer=dict(state={}),
            state_dict=model.state_dict()), path)
    return model.eval()


def test_a_detector_is_one_of_mmdet_alone(module, tmp_path):
    pytest.importorskip('mmdet')
    model = student(SSD, tmp_path / 'epoch_3.pth')
    module.export(
        str(SSD), str(tmp_path / 'epoch_3.pth'), tmp_path / 'out.pth')
    config = tmp_path / 'out.py'
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


@pytest.mark.parametrize(
    'config, ours',
    [
        ('gld/r14_r8_digits.py', True),  # the test set
        ('gld/r34_r18_dogs120.py', True),
        ('gld/r110_r20_cifar100.py', True),  # the network
        ('gld/r34_r18_in1k.py', False),
        ('gld/r34_r18_flowers102.py', False)
    ])
def test_a_config_with_classes_of_ours_imports_gld_mm(module, config, ours):
    cfg = student_of(Config.fromfile(ROOT / 'configs' / config))
    init_default_scope(cfg.default_scope)
    assert ('custom_imports' in module.plain_config(cfg)) == ours


@pytest.mark.parametrize('config, kept', [
    ('gld/r14_r8_digits.py', ['mine', 'gld_mm']),
    ('gld/r34_r18_flowers102.py', ['mine']),
])
def test_a_config_keeps_the_imports_of_a_user(module, config, kept):
    cfg = student_of(Config.fromfile(ROOT / 'configs' / config))
    cfg.custom_imports = dict(imports=['mine', 'gld_mm'])
    init_default_scope(cfg.default_scope)
    assert module.plain_config(cfg).custom_imports.imports == kept


@pytest.mark.parametrize('content, reason', [
    (None, 'does not exist'),
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


def digits(tmp_path):
    """A student's weights, and the student."""
    torch.manual_seed(0)
    return tmp_path / 'epoch_3.pth', student(DIGITS, tmp_path / 'epoch_3.pth')


def needs_torch_for(module, suffix):
    if digit_version(torch.__version__) < digit_version(module.TORCH[suffix]):
        pytest.skip(f'{suffix} needs torch >= {module.TORCH[suffix]}')


def test_an_older_torch_is_one_line(module, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.5.1+cu121')
    weights, _ = digits(tmp_path)
    with pytest.raises(UserError, match='pt2 needs torch >= 2.6, this is 2.5'):
        module.export(str(DIGITS), str(weights), tmp_path / 'x.pt2', (32, 32))


def test_onnx_computes_the_logits_of_any_batch(module, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    needs_torch_for(module, '.onnx')
    weights, model = digits(tmp_path)
    module.export(str(DIGITS), str(weights), tmp_path / 'x.onnx', (32, 32))
    assert sorted(p.name
                  for p in tmp_path.iterdir()) == ['epoch_3.pth', 'x.onnx']
    session = onnxruntime.InferenceSession(str(tmp_path / 'x.onnx'))
    images = torch.randn(5, 3, 32, 32)
    logits, = session.run(None, dict(images=images.numpy()))
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(logits), model(images))


def test_a_program_runs_where_there_is_no_openmmlab(module, tmp_path):
    needs_torch_for(module, '.pt2')
    weights, model = digits(tmp_path)
    module.export(str(DIGITS), str(weights), tmp_path / 'x.pt2', (32, 32))
    images = torch.randn(5, 3, 32, 32)
    torch.save(images, tmp_path / 'images.pth')
    code = f"""
import sys, torch
network = torch.export.load('{tmp_path}/x.pt2').module()
logits, = network(torch.load('{tmp_path}/images.pth'))
torch.save(logits, '{tmp_path}/logits.pth')
assert not {{'gld_mm', 'mmengine', 'mmpretrain'}} & set(sys.modules)
"""
    subprocess.run([sys.executable, '-c', code], check=True, cwd=tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(
            torch.load(tmp_path / 'logits.pth'), model(images))


def test_a_detector_is_exported_as_its_maps(module, tmp_path):
    pytest.importorskip('mmdet')
    needs_torch_for(module, '.pt2')
    torch.manual_seed(0)
    model = student(SSD, tmp_path / 'epoch_3.pth')
    module.export(
        str(SSD), str(tmp_path / 'epoch_3.pth'), tmp_path / 'x.pt2',
        (300, 300))
    network = torch.export.load(tmp_path / 'x.pt2').module()
    images = torch.randn(1, 3, 300, 300)
    with torch.no_grad():
        scores, boxes = model(images)
        found = network(images)
    assert len(found) == 12
    for ours, theirs in zip([*scores, *boxes], found):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize('out, size, reason', [
    ('x.onnx', None, '--size H W'),
    ('x.pt2', (32, 0), '--size H W'),
    ('x.txt', (32, 32), 'should end with .pth, .onnx or .pt2'),
])
def test_what_cannot_be_exported_is_an_error(module, tmp_path, out, size,
                                             reason):
    weights, _ = digits(tmp_path)
    (tmp_path / out).write_text('old')
    with pytest.raises(module.UserError, match=reason):
        module.export(str(DIGITS), str(weights), tmp_path / out, size)
    assert (tmp_path / out).read_text() == 'old'


def test_an_export_that_computes_something_else_is_not_kept(
        module, tmp_path, monkeypatch):
    weights, _ = digits(tmp_path)
    (tmp_path / 'x.pt2').write_text('old')

    def wrong(network, path, size):
        path.write_text('new')
        return lambda images: [network(images)[0] * 1.01]

    monkeypatch.setattr(module, 'to_program', wrong)
    with pytest.raises(module.UserError, match='nothing is kept'):
        module.export(str(DIGITS), str(weights), tmp_path / 'x.pt2', (32, 32))
    assert (tmp_path / 'x.pt2').read_text() == 'old'
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize('change, reason', [
    (lambda logits: [logits[0] * float('nan'), logits[1]], 'differs'),
    (lambda logits: [logits[0], logits[1] * 1.01], 'differs'),
    (lambda logits: logits[:1], 'other shapes'),
    (lambda logits: [logits[0][:1], logits[1]], 'other shapes'),
    (lambda logits: [x if len(x) > 1 else x + 1 for x in logits], 'differs'),
])
def test_a_comparison_misses_no_difference(module, change, reason):

    def network(images):
        return [images.mean((2, 3)), images]

    assert module.compare(network, network, (4, 4)) == 0
    with pytest.raises(module.UserError, match=reason):
        module.compare(network, lambda x: change(network(x)), (4, 4))


def test_onnx_without_its_packages_names_them(module, tmp_path, monkeypatch):
    needs_torch_for(module, '.onnx')
    weights, _ = digits(tmp_path)
    (tmp_path / 'x.onnx').write_text('old')
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(module.UserError, match='pip install onnx'):
        module.export(str(DIGITS), str(weights), tmp_path / 'x.onnx', (32, 32))
    assert (tmp_path / 'x.onnx').read_text() == 'old'


def test_the_checkpoint_that_is_read_is_not_overwritten(module, tmp_path):
    weights, _ = digits(tmp_path)
    before = weights.read_bytes()
    with pytest.raises(UserError, match='would overwrite the checkpoint'):
        module.export(str(DIGITS), str(weights), weights)
    assert weights.read_bytes() == before


@pytest.mark.parametrize('name', ['mine.py', './mine.py'])
def test_the_config_that_is_read_is_not_overwritten(module, tmp_path, name,
                                                    monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('mine.py').write_text(text := f"_base_ = '{DIGITS}'\n")
    with pytest.raises(UserError, match='would overwrite .*mine.py'):
        module.export(name, 'epoch_3.pth', tmp_path / 'mine.pth')
    assert Path('mine.py').read_text() == text
