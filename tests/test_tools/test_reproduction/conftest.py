# Copyright (c) gld_mm authors. All rights reserved.
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from reproduction import Experiment, Run, distilled, execute, load_results

CONFIG = '''
model = dict(teacher_ckpt=None, distiller=dict(beta=500))
train_cfg = dict(by_epoch=True, max_epochs=8)
param_scheduler = dict(type='MultiStepLR', milestones=[4, 6])
randomness = dict(seed=None)
'''


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder with configs, results and a stand-in for training."""
    monkeypatch.setattr('reproduction.scheduler._POLL', 0.02)
    return Lab(tmp_path)


class Lab:
    """Makes runs of two experiments, of which one depends on the other."""

    teacher = Experiment('x/teacher', 'teacher.py', paper=50.)
    student = distilled(
        'x/gld',
        'student.py', {'model.distiller.beta': 0},
        depends_on='x/teacher')

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / 'runs'
        if not self.folder.exists():
            self.folder.mkdir()
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
                depends_on=teacher) for seed in seeds
        ]

    train = Path(__file__).with_name('stand_in_train.py')

    def execute(self, runs, jobs=1):
        self.screen = io.StringIO()
        return execute(runs, self.train, jobs,
                       Console(file=self.screen, width=300))

    def starts(self, name):
        """The epochs from which a run was started."""
        path = self.folder / name / 'starts'
        return path.read_text().split() if path.exists() else []

    def results(self):
        """What was written, by experiment and seed."""
        return {
            (result['experiment'], result['seed']): result
            for group in load_results(self.folder)
            for result in group
        }
