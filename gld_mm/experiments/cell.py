# Copyright (c) gld_mm authors. All rights reserved.
from dataclasses import dataclass
from functools import partial
from typing import Dict, Optional


@dataclass(frozen=True)
class Cell:
    """One entry of a table: a network trained in one way.

    Args:
        name (str): Group and method, such as ``b/gld``.
        config (str): Path of the config, from the root of the repository.
        needs (str, optional): Name of the cell whose weights this one uses.
            Defaults to None.
        key (str, optional): Where its config names those weights.
            Defaults to None.
        paper (float, optional): Published top-1 in percent. Defaults to None.
    """
    name: str
    config: str
    needs: Optional[str] = None
    key: Optional[str] = None
    paper: Optional[float] = None

    @property
    def group(self) -> str:
        """The part of the table that the cell belongs to."""
        return self.name.split('/')[0]

    @property
    def method(self) -> str:
        """How the network is trained."""
        return self.name.split('/')[1]

    @property
    def is_teacher(self) -> bool:
        """Whether there is one run for all seeds of what builds on it."""
        return self.method == 'teacher' and self.needs is None


# Table 1: teacher and student of each setup. Table 2: mean top-1 of three
# runs of the teacher, the student alone, by KD and by GLD.
_SETUPS = dict(
    a=('r110', 'r20', (72.53, 68.75, 70.27, 71.37)),
    b=('wrn16-2', 'wrn16-1', (73.04, 66.76, 68.06, 68.95)),
    c=('wrn22-4', 'wrn16-2', (77.67, 73.04, 74.75, 76.28)),
    d=('wrn16-4', 'r32', (76.67, 71.01, 73.03, 74.27)))

# Supplementary 1 and 2, figure 3, which has no figures in print.
_ABLATION = dict(
    a=('global', 'local', 'relation', 'global-local', 'global-relation',
       'local-relation'))
_ABLATION['b'] = _ABLATION['d'] = _ABLATION['a']

# Table 4: a linear classifier on frozen features. Which setup it is, is open;
# here it is (a).
_TRANSFER = dict(
    stl10=dict(teacher=70.65, baseline=67.61, kd=67.23, gld=68.96),
    cinic10=dict(teacher=62.15, baseline=58.36, kd=60.17, gld=61.09))


def paper_cells() -> Dict[str, Cell]:
    """List the cells of tables 2 and 4 and of figure 3.

    Returns:
        dict[str, Cell]: By name: ``a/teacher``, ``a/baseline``, ``a/kd``,
        ``a/gld``, the same of b, c and d; ``a/global``, ``a/global-local`` and
        so on of a, b and d; ``stl10/gld``, ``cinic10/kd`` and so on.
    """
    cells = []
    for setup, (teacher, student, paper) in _SETUPS.items():
        pair = f'{teacher}_{student}_cifar100.py'
        taught = partial(
            Cell, needs=f'{setup}/teacher', key='model.teacher_ckpt')
        cells += [
            Cell(
                f'{setup}/teacher',
                f'configs/teachers/{teacher}_cifar100.py',
                paper=paper[0]),
            Cell(
                f'{setup}/baseline',
                f'configs/baseline/{student}_cifar100.py',
                paper=paper[1]),
            taught(f'{setup}/kd', f'configs/kd/{pair}', paper=paper[2]),
            taught(f'{setup}/gld', f'configs/gld/{pair}', paper=paper[3])
        ]
        cells += [
            taught(f'{setup}/{terms}', f'configs/ablation/{terms}_{pair}')
            for terms in _ABLATION.get(setup, ())
        ]
    teacher, student, _ = _SETUPS['a']
    for data, results in _TRANSFER.items():
        for method, top1 in results.items():
            network = teacher if method == 'teacher' else student
            cells.append(
                Cell(
                    f'{data}/{method}',
                    f'configs/transfer/{network}_{data}.py',
                    needs=f'a/{method}',
                    key='model.backbone.init_cfg.checkpoint',
                    paper=top1))
    return {cell.name: cell for cell in cells}
