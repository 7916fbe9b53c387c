# Copyright (c) gld_mm authors. All rights reserved.
import importlib.util
import json
from pathlib import Path

import pytest
from rich.console import Console


@pytest.fixture
def demo(tmp_path):
    path = Path(__file__).parents[2] / 'tools' / 'demo.py'
    spec = importlib.util.spec_from_file_location('demo', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT = tmp_path
    module.SEEDS = (0, 1)
    return module


def write(demo, config, seed, *sessions):
    """Logs of a run, one list of accuracies by epoch a session."""
    for number, records in enumerate(sessions):
        folder = demo.ROOT / demo.folder(
            config, seed) / f'2026010{number}_000000' / 'vis_data'
        folder.mkdir(parents=True)
        lines = [{'loss': 1.0, 'step': 3}]
        lines += [{'accuracy/top1': x, 'step': e} for e, x in records.items()]
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))


def test_a_resumed_run_has_one_accuracy_an_epoch(demo):
    write(demo, demo.TEACHER, 0, {1: 10., 2: 20.}, {2: 21., 3: 30.})
    assert demo.top1(demo.TEACHER, 0) == [10., 21., 30.]


def test_a_run_that_has_not_begun_has_none(demo):
    assert demo.top1(demo.TEACHER, 0) == []


def test_the_table_has_mean_and_spread_of_last_and_best_epoch(demo):
    write(demo, demo.TEACHER, 0, {1: 97.5, 2: 96.})
    for config in demo.STUDENTS.values():
        write(demo, config, 0, {1: 70., 2: 60.})
        write(demo, config, 1, {1: 50., 2: 64.})
    console = Console(width=80, record=True)
    console.print(demo.table())
    text = console.export_text()
    assert '96.0' in text and '97.5' in text
    # Mean 62, sample deviation sqrt(8); best 70 and 64: 67 and sqrt(18).
    assert text.count('62.0 +- 2.8') == text.count('67.0 +- 4.2') == 3
