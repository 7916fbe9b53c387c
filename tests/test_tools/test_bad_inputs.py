# Copyright (c) gld_mm authors. All rights reserved.
"""A catalogue of what users get wrong, and what the tools say.

Each ends the tool and changes no file that was there before. What is ours to
say is one line without a traceback; the rest is an error of the host's, whose
last line names the fault.
"""
import hashlib
import logging
import pickle
import re
import runpy
import sys
import traceback
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

from gld_mm.errors import UserError

from ..voc import SIZE, voc_devkit, write_xml

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / 'configs/gld/r14_r8_digits.py'
# Of a small run that would be sound.
BASE = """
_base_ = '{config}'
model = dict(teacher_ckpt='{folder}/teacher.pth')
train_cfg = dict(max_epochs=1)
train_dataloader = dict(dataset=dict(num_samples=64))
val_dataloader = dict(dataset=dict(num_samples=64))
custom_hooks = {hooks}
"""
HOOKS = [
    dict(type='DataCheckHook'),
    dict(type='CheckpointCheckHook'),
    dict(type='PretrainedCheckHook')
]
STUDENT = 'model.architecture'


@pytest.fixture(scope='module')
def template(tmp_path_factory):
    """A folder with a sound config, a teacher and a student."""
    folder = tmp_path_factory.mktemp('sound')
    (folder / 'mine.py').write_text(
        BASE.format(config=DIGITS, folder=folder, hooks=HOOKS))
    init_default_scope('mmpretrain')
    cfg = Config.fromfile(folder / 'mine.py').model
    for name in ('teacher', 'architecture'):
        torch.manual_seed(0)
        network = MODELS.build(cfg[name])
        torch.save(
            dict(
                state_dict=network.state_dict(),
                meta=dict(epoch=0, iter=0),
                message_hub=dict()), folder / f'{name}.pth')
    return folder


def run(tool, *args):
    """Run a tool in this process; return its exit status or its error."""
    argv, sys.argv = sys.argv, [f'{tool}.py', *map(str, args)]
    try:
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
    except SystemExit as stop:
        return stop.code
    except Exception as error:
        return error
    finally:
        sys.argv = argv
        logging.shutdown()
    return 0


def contents(folder):
    return {
        path: hashlib.sha1(path.read_bytes()).hexdigest()
        for path in folder.rglob('*') if path.is_file()
    }


def fails(capsys, folder, tool, *args, host=False):
    """Run a tool that has to fail; return its line."""
    before = contents(folder)
    result = run(tool, *args)
    after = contents(folder)
    assert {path: after.get(path) for path in before} == before
    assert result not in (0, None)
    output = capsys.readouterr()
    assert 'Traceback' not in output.out + output.err
    if isinstance(result, Exception):
        assert host or isinstance(result, UserError), repr(result)
        return traceback.format_exception_only(result)[-1].strip()
    if isinstance(result, int):  # argparse's, or a report's
        text = output.out + output.err
        return text.strip().splitlines()[-1]
    assert '\n' not in result
    return result


# What is ours to say
OPTIONS = {
    f'{STUDENT}.head.num_classes=100':
    'NoisyDigits has 10 classes, the head 100',
    'optim_wrapper.optimizer.type=SDG':
    '"SDG" is not the name of an optimizer',
    'train_dataloader.dataset.split=trian':
    'split should be train or test, got "trian"',
    'train_dataloader.dataset.type=Digits': 'Digits is not in the',
    'train_dataloader.dataset.pipeline.0.type=RandomCorp':
    'RandomCorp is not in the',
    'load_from=missing.pth': '"missing.pth" does not exist',
    'model.distiller.alpha=1.5': r'alpha should be in \[0, 1\]',
    'model.distiller.beta=-1': 'should not be negative',
    'model.distiller.gamma=-1': 'should not be negative',
    'model.distiller.grid=0': 'grid should be at least 1, got 0',
    'model.distiller.grid=5': 'grid of 5x5 does not fit a feature map of 4x4',
    'model.distiller.feature=bakcbone':
    'no module "bakcbone"; its first modules are .*backbone',
    'model.distiller.classifier=fc': 'no module "fc"',
}
# What an error of the host, or of a module's constructor, says
OPTIONS_OF_HOSTS = {
    # The method
    'model.distiller.temperature=4':
    "unexpected keyword argument 'temperature'",
    'model.distiller.type=mmrazor.GLDistiller': 'GLDistiller is not in the',
    # The networks
    'model.type=mmrazor.GLD': 'mmrazor.GLD is not in the',
    f'{STUDENT}.backbone.type=CifarResnet': 'CifarResnet is not in the',
    f'{STUDENT}.backbone.depth=9': r'depth should be 6n \+ 2, got 9',
    f'{STUDENT}.backbone.dept=8': "unexpected keyword argument 'dept'",
    f'{STUDENT}.head.in_channels=8': 'cannot be multiplied',
    'model.teacher.type=Classifier': 'Classifier is not in the',
    # The schedule and the runner
    'optim_wrapper.optimizer.lr=-1': 'Invalid learning rate: -1',
    'optim_wrapper.optimizer.lr=high': 'not supported between',
    'train_cfg.max_epochs=many': "invalid literal for int.*'many'",
    'train_dataloader.batch_size=0': 'batch_size',
    'train_dataloader.num_workers=-1': 'num_workers',
    'val_evaluator.type=Acuracy': 'Acuracy is not in the',
    'default_hooks.logger.type=Logger': 'Logger is not in the',
}


@pytest.mark.parametrize('option', [*OPTIONS, *OPTIONS_OF_HOSTS])
def test_an_option(template, tmp_path, capsys, option):
    line = fails(
        capsys,
        template,
        'train',
        template / 'mine.py',
        '--work-dir',
        tmp_path,
        '--cfg-options',
        option,
        host=option in OPTIONS_OF_HOSTS)
    message = {**OPTIONS, **OPTIONS_OF_HOSTS}[option]
    assert re.search(message, line), line
    assert not list(tmp_path.glob('*.pth'))


def weights(folder, name):
    return torch.load(folder / f'{name}.pth', weights_only=True)['state_dict']


class Attack:
    """What a pickle does that is loaded without weights_only."""

    def __reduce__(self):
        return Path.touch, (Path('attacked'), )


def other_classes(state):
    return {
        k: v[:7] if k.startswith('head.fc') else v
        for k, v in state.items()
    }


TEACHERS = {
    'it is missing': (lambda path, state: path.unlink(), 'does not exist'),
    'it is cut off':
    (lambda path, state: path.write_bytes(path.read_bytes()[:-2000]),
     'cannot be read'),
    'it is empty': (lambda path, state: path.write_bytes(b''),
                    'cannot be read'),
    'it is a text': (lambda path, state: path.write_text('weights'),
                     'cannot be read'),
    'it runs code':
    (lambda path, state: path.write_bytes(pickle.dumps(Attack())),
     'cannot be read'),
    'it runs code in a whole file':
    (lambda path, state: torch.save(Attack(), path), 'cannot be read'),
    'it is of other classes':
    (lambda path, state: torch.save(other_classes(state), path),
     'other classes.*Train it with'),
    'it is of another network': (lambda path, state: torch.save(
        {
            k: v
            for k, v in state.items() if 'layer3' not in k
        }, path), 'another network.*Train it with'),
}


@pytest.mark.parametrize('fault', TEACHERS)
def test_a_teacher(template, tmp_path, capsys, monkeypatch, fault):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'teacher.pth'
    path.write_bytes((template / 'teacher.pth').read_bytes())
    spoil, message = TEACHERS[fault]
    spoil(path, weights(template, 'teacher'))
    line = fails(capsys, tmp_path, 'train', template / 'mine.py', '--work-dir',
                 tmp_path / 'run', '--cfg-options',
                 f'model.teacher_ckpt={path}')
    assert re.search(message, line) and str(path) in line
    assert not (tmp_path / 'attacked').exists()


# What is in a config, what is said, and whether by mmengine or Python
CONFIGS = {
    'a config that is missing': (None, 'mine.py.*(not|No)', False),
    'a config that is no Python': ('model = dict(', 'never closed', False),
    'a config of a missing base':
    ("_base_ = 'configs/gld/none.py'", 'none', False),
    'a config without a model':
    ("train_cfg = dict(max_epochs=1)", 'model|nothing to check', True),
    'a config of a missing module':
    ("_base_ = '{config}'\ncustom_imports = dict(imports=['my_modules'])",
     'my_modules', True),
    'a config of another name':
    ("_base_ = '{config}'\nx = _base_.modle", 'modle', False),
}


@pytest.mark.parametrize('fault', CONFIGS)
@pytest.mark.parametrize('tool', ['train', 'check_data'])
def test_a_config(tmp_path, capsys, tool, fault):
    text, message, host = CONFIGS[fault]
    path = tmp_path / 'mine.py'
    if text is not None:
        path.write_text(text.format(config=DIGITS))
    args = [path] + (['--work-dir', tmp_path] if tool == 'train' else [])
    line = fails(capsys, tmp_path, tool, *args, host=host)
    assert re.search(message, line), line


LINES = {
    'no config': ('train', [], 'required: config'),
    'an unknown argument': ('train', ['{mine}', '--gpus',
                                      '2'], 'unrecognized arguments: --gpus'),
    'an option without a value': ('train', ['{mine}', '--cfg-options',
                                            'a'], 'not enough values'),
    'a learning rate without its batch size':
    ('train',
     ['{mine}', '--auto-scale-lr', '--cfg-options',
      'auto_scale_lr=None'], 'needs auto_scale_lr=dict'),
    'an unknown launcher': ('train', ['{mine}', '--launcher',
                                      'torchrun'], 'invalid choice'),
    'a missing checkpoint to resume':
    ('train', ['{mine}', '--resume', 'none.pth'], 'none.pth" does not exist'),
    'a checkpoint of another network to resume':
    ('train', ['{mine}', '--resume',
               '{folder}/teacher.pth'], 'teacher.pth" is of another network'),
    'a missing checkpoint to test': ('test', ['{mine}', 'none.pth'],
                                     'none.pth" does not exist'),
    'a checkpoint of another network to test':
    ('test', ['{mine}',
              '{folder}/teacher.pth'], 'teacher.pth" is of another network'),
    'a text to test': ('test', ['{mine}', '{mine}'], 'cannot be read'),
    'a missing config to test': ('test', ['none.py', 'none.pth'],
                                 'none.py cannot be read'),
    'a missing checkpoint to export': ('export_student',
                                       ['{mine}', 'none.pth',
                                        '{out}/a.pth'], 'none.pth'),
    'an export of another network':
    ('export_student', ['{mine}', '{folder}/teacher.pth',
                        '{out}/a.pth'], 'is of another network'),
    'an export of an unknown kind':
    ('export_student', ['{mine}', '{folder}/architecture.pth',
                        '{out}/a.doc'], 'should end with'),
    'an unknown experiment': ('reproduce', ['z/*', '--work-dir',
                                            '{out}'], 'z/'),
    'no seed': ('reproduce', ['a/gld', '--seeds'], 'expected at least one'),
}


@pytest.mark.parametrize('fault', LINES)
def test_a_command_line(template, tmp_path, capsys, monkeypatch, fault):
    monkeypatch.chdir(tmp_path)
    tool, args, message = LINES[fault]
    args = [
        arg.format(
            mine=template / 'mine.py', folder=template, out=tmp_path / 'out')
        for arg in args
    ]
    host = fault == 'an option without a value'  # DictAction of mmengine
    line = fails(capsys, template, tool, *args, host=host)
    assert re.search(message, line), line
    assert not list(tmp_path.rglob('*.pth'))


def voc(part):
    return f'VOC2012/{part}'


def first(folder, part):
    return sorted((folder / voc(part)).iterdir())[0]


# What is done to a VOCdevkit, for which config, and what is said.
DATA = {
    'no folder': ('ssd300_r18_voc', lambda f:
                  (f / 'VOC2012').rename(f / 'x'), 'VOC2012.* is missing'),
    'no list': ('ssd300_r18_voc', lambda f:
                (f / voc('ImageSets/Main/trainval.txt')).unlink(),
                'trainval.txt is missing'),
    'an empty list': ('ssd300_r18_voc', lambda f:
                      (f / voc('ImageSets/Main/trainval.txt')).write_text(''),
                      'trainval.txt is empty'),
    'a photograph that is missing': ('ssd300_r18_voc',
                                     lambda f: first(f, 'JPEGImages').unlink(),
                                     'listed but missing|JPEGImages'),
    'an XML file that is missing':
    ('ssd300_r18_voc', lambda f: first(f, 'Annotations').unlink(), '.xml'),
    'an XML file that is none':
    ('ssd300_r18_voc', lambda f: first(f, 'Annotations').write_text('<a'),
     'xml|token|unclosed'),
    'a misspelt class':
    ('ssd300_r18_voc',
     lambda f: write_xml(first(f, 'Annotations'), [('Dog', 1, 1, 9, 9)]),
     'spell both alike'),
    'a box without area':
    ('ssd300_r18_voc',
     lambda f: write_xml(first(f, 'Annotations'), [('dog', 5, 5, 5, 30)]),
     'has no area'),
    'no list of masks': ('deeplabv3plus_r18_voc12aug', lambda f:
                         (f / voc('ImageSets/Segmentation/aug.txt')).unlink(),
                         'aug.txt is missing'),
    'no masks': ('deeplabv3plus_r18_voc12aug', lambda f:
                 (f / voc('SegmentationClassAug')).rename(f / 'x'),
                 'SegmentationClassAug is missing'),
    'a mask that is missing':
    ('deeplabv3plus_r18_voc12aug',
     lambda f: first(f, 'SegmentationClass').unlink(), 'listed but missing'),
    'an RGB mask':
    ('deeplabv3plus_r18_voc12aug',
     lambda f: Image.new('RGB', SIZE).save(first(f, 'SegmentationClass')),
     'mode RGB'),
    'a mask of another size':
    ('deeplabv3plus_r18_voc12aug',
     lambda f: Image.new('L', (9, 9)).save(first(f, 'SegmentationClassAug')),
     'has 9x9 pixels'),
    'a label of no class':
    ('deeplabv3plus_r18_voc12aug',
     lambda f: Image.new('L', SIZE, 99).save(first(f, 'SegmentationClass')),
     'has the label 99'),
    'a mask that is cut off':
    ('deeplabv3plus_r18_voc12aug', lambda f: first(f, 'SegmentationClass').
     write_bytes(first(f, 'SegmentationClass').read_bytes()[:200]),
     'not a whole image'),
}


@pytest.mark.parametrize('fault', DATA)
def test_data(tmp_path, capsys, fault):
    pytest.importorskip('mmdet')
    pytest.importorskip('mmseg')
    name, spoil, message = DATA[fault]
    data = tmp_path / 'data'
    voc_devkit(data, images=2)
    spoil(data)
    root = data if 'ssd300' in name else data / 'VOC2012'
    (tmp_path / 'mine.py').write_text(f"""
_base_ = '{ROOT}/configs/baseline/{name}.py'
model = dict(backbone=dict(init_cfg=None))
train_cfg = dict(max_epochs=1)
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(datasets=[dict(part, data_root='{root}/') for part in
                           _base_.train_dataloader.dataset.datasets]))
val_dataloader = dict(num_workers=0, persistent_workers=False,
                      dataset=dict(data_root='{root}/'))
test_dataloader = val_dataloader
custom_hooks = {HOOKS}
""")
    line = fails(capsys, data, 'train', tmp_path / 'mine.py', '--work-dir',
                 tmp_path / 'run')
    assert re.search(message, line), line
    assert not list(tmp_path.rglob('*.pth'))
