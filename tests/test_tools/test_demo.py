# Copyright (c) gld_mm authors. All rights reserved.
import json
from pathlib import Path

import demo
from rich.console import Console


def test_students_with_a_teacher_use_the_weights_of_its_last_epoch():
    runs = demo.make_runs()
    assert {
        name: len(group)
        for name, group in runs.items()
    } == {
        'Teacher': 1,
        'Student alone': 3,
        'KD': 3,
        'GLD': 3
    }
    teacher, = runs['Teacher']
    assert all(run.depends_on is None for run in runs['Student alone'])
    for run in runs['KD'] + runs['GLD']:
        assert run.cfg.model.teacher_ckpt == str(
            Path('work_dirs', 'demo', teacher.name, 'epoch_20.pth'))


def test_the_table_has_mean_and_deviation_of_last_and_best_epoch(
        tmp_path, monkeypatch):
    monkeypatch.setattr(demo, 'OUT', tmp_path)
    monkeypatch.setattr(demo, 'SEEDS', (0, 1))
    runs = demo.make_runs()

    def add(run, last, best):
        run.work_dir.mkdir()
        run.result.write_text(
            json.dumps(
                dict(
                    experiment=run.experiment.name,
                    seed=run.seed,
                    epochs=run.epochs,
                    teacher_epochs=run.depends_on and run.depends_on.epochs,
                    last=dict(top1=last),
                    best=dict(top1=best))))

    add(*runs['Teacher'], 96., 97.5)
    for name in ('Student alone', 'KD', 'GLD'):
        first, second = runs[name]
        add(first, 60., 70.)
        add(second, 64., 64.)
    console = Console(width=80, record=True)
    console.print(demo.make_table(runs))
    text = console.export_text()
    assert '96.0' in text and '97.5' in text
    # Mean 62, sample deviation sqrt(8); best 70 and 64: 67 and sqrt(18).
    assert text.count('62.0 +- 2.8') == text.count('67.0 +- 4.2') == 3
