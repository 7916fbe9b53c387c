# Copyright (c) gld_mm authors. All rights reserved.
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Dict, Optional


@dataclass(frozen=True)
class Experiment:
    """A network that is trained in one way: one number of a table.

    Args:
        name (str): Setup and method, such as ``b/gld``.
        config (str): Path of the config from the root of the repository.
        options (dict): Changes to the config, as in ``--cfg-options``.
            Defaults to none.
        depends_on (str, optional): Name of the experiment whose final weights
            this one uses. Defaults to None.
        checkpoint_option (str, optional): Option of the config that takes the
            path of those weights. Defaults to None.
        paper (float, optional): Published top-1 in percent. Defaults to None.
    """
    name: str
    config: str
    options: Dict[str, Any] = field(default_factory=dict)
    depends_on: Optional[str] = None
    checkpoint_option: Optional[str] = None
    paper: Optional[float] = None

    @property
    def is_teacher(self) -> bool:
        """Whether the students of all seeds share one run."""
        return self.name.endswith('/teacher') and self.depends_on is None


# An experiment whose network learns from a trained teacher
distilled = partial(Experiment, checkpoint_option='model.teacher_ckpt')

# Table 1: teacher and student of each setup. Table 2: mean top-1 over three
# runs of the teacher, the student alone, KD and GLD.
_SETUPS = dict(
    a=('r110', 'r20', (72.53, 68.75, 70.27, 71.37)),
    b=('wrn16-2', 'wrn16-1', (73.04, 66.76, 68.06, 68.95)),
    c=('wrn22-4', 'wrn16-2', (77.67, 73.04, 74.75, 76.28)),
    d=('wrn16-4', 'r32', (76.67, 71.01, 73.03, 74.27)))

# Figure 3 of the supplementary material, without printed numbers: the terms
# that are on, and the weights of those that are off.
_ABLATED_SETUPS = 'abd'
_ABLATIONS = {
    'global': ('gamma', 'beta'),
    'local': ('alpha', 'beta'),
    'relation': ('alpha', 'gamma'),
    'global-local': ('beta', ),
    'global-relation': ('gamma', ),
    'local-relation': ('alpha', ),
}

# Table 4: a linear classifier on frozen features. The paper does not name the
# setup; here it is (a).
_TRANSFER = dict(
    stl10=dict(teacher=70.65, baseline=67.61, kd=67.23, gld=68.96),
    cinic10=dict(teacher=62.15, baseline=58.36, kd=60.17, gld=61.09))


def paper_experiments() -> Dict[str, Experiment]:
    """Experiments of tables 2 and 4 and of figure 3, by name."""
    found = []
    for setup, (teacher, student, paper) in _SETUPS.items():
        baseline = 'configs/baseline/{}_cifar100.py'
        pair = f'{teacher}_{student}_cifar100.py'
        taught = partial(distilled, depends_on=f'{setup}/teacher')
        found += [
            Experiment(
                f'{setup}/teacher', baseline.format(teacher), paper=paper[0]),
            Experiment(
                f'{setup}/baseline', baseline.format(student), paper=paper[1]),
            taught(f'{setup}/kd', f'configs/kd/kd_{pair}', paper=paper[2]),
            taught(f'{setup}/gld', f'configs/gld/{pair}', paper=paper[3])
        ]
        if setup in _ABLATED_SETUPS:
            found += [
                taught(f'{setup}/{terms}', f'configs/gld/{pair}',
                       {f'model.distiller.{weight}': 0
                        for weight in weights})
                for terms, weights in _ABLATIONS.items()
            ]
    teacher, student, _ = _SETUPS['a']
    for data, results in _TRANSFER.items():
        for method, top1 in results.items():
            network = teacher if method == 'teacher' else student
            found.append(
                Experiment(
                    f'{data}/{method}',
                    f'configs/transfer/{network}_{data}.py',
                    depends_on=f'a/{method}',
                    checkpoint_option='model.backbone.init_cfg.checkpoint',
                    paper=top1))
    return {experiment.name: experiment for experiment in found}
