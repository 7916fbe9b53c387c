# Copyright (c) gld_mm authors. All rights reserved.
"""No check of ours refuses a config of the hosts.

All that comes before the first step and needs neither data nor weights is run
on the configs that mmpretrain, mmdet and mmseg ship.
"""
import argparse
import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from gld_mm.config import leaf_datasets, student_of
from gld_mm.config.read import count_classes
from gld_mm.datasets.checks.build import class_of
from gld_mm.datasets.checks.classes import differ
from gld_mm.engine.runner import CheckedRunner

TOOLS = Path(__file__).parents[1] / 'tools'
ARGUMENTS = dict(
    config='a.py',
    checkpoint='a.pth',
    teacher=None,
    work_dir=None,
    resume='a.pth',
    amp=False,
    no_validate=False,
    auto_scale_lr=False,
    cfg_options=None,
    launcher='none',
    show=False,
    show_dir=None,
    tta=False)


def stock(host):
    root = Path(find_spec(host).origin).parent / '.mim' / 'configs'
    return sorted(
        path for path in root.rglob('*.py') if '_base_' not in path.parts)


def check_classes(cfg, dataset):
    for leaf in leaf_datasets(dataset):
        kind = class_of(leaf)
        names = (leaf.get('metainfo') or {}).get('classes')
        if names is None:
            names = getattr(kind, 'METAINFO', {}).get('classes')
        if not isinstance(names, str):
            name = getattr(kind, '__name__', '')
            assert not differ(name, names, count_classes(cfg.model))


@pytest.fixture
def check(monkeypatch):
    """Run what comes before the data are read; return its complaint."""
    train = runpy.run_path(str(TOOLS / 'train.py'))['merge_args']
    test = runpy.run_path(str(TOOLS / 'test.py'))['merge_args']
    monkeypatch.setattr(Path, 'exists', lambda path: True)
    monkeypatch.setattr(Runner, 'build_dataloader', lambda *args: None)
    monkeypatch.setattr(Runner, 'build_optim_wrapper', lambda *args: None)

    def run(host, cfg):
        init_default_scope(cfg.get('default_scope') or host)
        args = argparse.Namespace(**ARGUMENTS)
        train(cfg, args)
        runner = object.__new__(CheckedRunner)
        for split in ('train', 'val', 'test'):
            if cfg.get(f'{split}_dataloader'):
                runner.build_dataloader(cfg[f'{split}_dataloader'])
                check_classes(cfg, cfg[f'{split}_dataloader'].dataset)
        if cfg.get('optim_wrapper'):
            runner.build_optim_wrapper(cfg.optim_wrapper)
        test(cfg, args)
        student_of(cfg)

    return run


def sweep(check, host, step):
    wrong, count = {}, 0
    for path in stock(host)[::step]:
        try:
            cfg = Config.fromfile(path)
        except Exception:  # of another package's classes, or the host's fault
            continue
        if 'model' not in cfg:  # a part of configs
            continue
        count += 1
        try:
            check(host, cfg)
        except Exception as error:
            wrong[str(path)] = repr(error)
    assert not wrong
    return count


@pytest.mark.parametrize('host', ['mmpretrain', 'mmdet', 'mmseg'])
def test_no_check_of_ours_refuses_a_stock_config(check, host):
    pytest.importorskip(host)
    assert sweep(check, host, step=100) >= 5


@pytest.mark.slow
@pytest.mark.parametrize('host, least', [('mmpretrain', 500), ('mmdet', 750),
                                         ('mmseg', 650)])
def test_no_check_of_ours_refuses_any_stock_config(check, host, least):
    pytest.importorskip(host)
    assert sweep(check, host, step=1) >= least


@pytest.mark.parametrize('text', [
    '',
    "model = dict(type='EncoderDecoder', decode_head=[dict(num_classes=19), "
    'dict(num_classes=19)])',
])
def test_a_config_without_resume_load_from_and_randomness_passes(
        check, tmp_path, text):
    (tmp_path / 'a.py').write_text(text
                                   or "model = dict(type='ImageClassifier')")
    check('mmpretrain', Config.fromfile(tmp_path / 'a.py'))
