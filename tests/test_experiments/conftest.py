# Copyright (c) gld_mm authors. All rights reserved.
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from gld_mm.experiments import Cell, Results, Run, Scheduler

CONFIG = '''
model = dict(teacher_ckpt=None)
train_cfg = dict(by_epoch=True, max_epochs=8)
param_scheduler = dict(type='MultiStepLR', milestones=[4, 6])
randomness = dict(seed=None)
'''


@pytest.fixture
def lab(tmp_path):
    """A folder with configs, results and a stand-in for training."""
    return Lab(tmp_path)


class Lab:
    """Makes runs of two cells, of which one needs the other."""

    teacher = Cell('x/teacher', 'teacher.py', paper=50.)
    student = Cell(
        'x/gld', 'student.py', needs='x/teacher', key='model.teacher_ckpt')

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / 'runs'
        self.folder.mkdir()
        self.path = self.folder / 'results.jsonl'
        torch.save(
            dict(state_dict=dict(w=torch.ones(1))), root / 'weights.pth')
        for name in ('teacher.py', 'student.py'):
            (root / name).write_text(CONFIG)

    def runs(self, *seeds, epochs=4, teacher_epochs=None):
        teacher = Run(
            self.teacher,
            0,
            self.folder,
            self.root,
            epochs=teacher_epochs or epochs)
        return [
            Run(self.student,
                seed,
                self.folder,
                self.root,
                epochs=epochs,
                needs=teacher) for seed in seeds
        ]

    def execute(self, runs, jobs=1):
        self.screen = io.StringIO()
        scheduler = Scheduler(
            Results(self.path),
            Path(__file__).with_name('stand_in_train.py'), jobs,
            Console(file=self.screen, width=300))
        return scheduler.execute(runs)

    def starts(self, name):
        """The epochs from which a run was started."""
        path = self.folder / name / 'starts'
        return path.read_text().split() if path.exists() else []
