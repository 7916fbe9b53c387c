# Copyright (c) gld_mm authors. All rights reserved.
import importlib.util
from pathlib import Path

import pytest
from rich.console import Console

from gld_mm.experiments import Results


@pytest.fixture
def demo():
    path = Path(__file__).parents[2] / 'tools' / 'demo.py'
    spec = importlib.util.spec_from_file_location('demo', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_students_with_a_teacher_use_the_weights_of_its_last_epoch(demo):
    runs = demo.make_runs()
    assert len(runs) == 10
    teacher = runs[0]
    for run in runs[1:]:
        if 'baseline' in run.name:
            assert run.needs is None
        else:
            assert run.cfg.model.teacher_ckpt == str(
                Path('work_dirs', 'demo', teacher.name, 'epoch_20.pth'))


def test_the_table_has_mean_and_spread_of_last_and_best_epoch(demo, tmp_path):
    results = Results(tmp_path / 'results.jsonl')

    def add(cell, seed, last, best):
        results.add(
            dict(
                cell=cell.name,
                seed=seed,
                epochs=2,
                fingerprint='',
                last=dict(top1=last),
                best=dict(top1=best),
                curve=[best, last]))

    add(demo.TEACHER, 0, 96., 97.5)
    for cell in demo.STUDENTS.values():
        add(cell, 0, 60., 70.)
        add(cell, 1, 64., 64.)
    console = Console(width=80, record=True)
    console.print(demo.table(results))
    text = console.export_text()
    assert '96.0' in text and '97.5' in text
    # Mean 62, sample deviation sqrt(8); best 70 and 64: 67 and sqrt(18).
    assert text.count('62.0 +- 2.8') == text.count('67.0 +- 4.2') == 3
