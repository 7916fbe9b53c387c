# Copyright (c) gld_mm authors. All rights reserved.
import copy
import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Dict, List, Optional, Set

from mmengine.config import Config

from gld_mm.config import read_config
from gld_mm.engine.checkpoint import is_whole
from gld_mm.errors import UserError

from .experiment import Experiment

# What a data config leaves alone
RECIPE = ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg')


class Run:
    """An experiment with a seed and a number of epochs, in its own folder.

    Args:
        experiment (Experiment): What is trained.
        seed (int): Seed of the run.
        folder (Path): Where the folders of all runs are.
        root (Path): Where ``configs/`` is.
        epochs (int, optional): Length of a shortened schedule; the learning
            rate drops at the same fractions of it. Defaults to None, the
            config's.
        data (str, optional): Config whose dataloaders and preprocessor replace
            those of the experiment's config. Defaults to None.
        depends_on (Run, optional): The run whose final weights this one uses.
            Defaults to None.
    """

    def __init__(self,
                 experiment: Experiment,
                 seed: int,
                 folder: Path,
                 root: Path,
                 epochs: Optional[int] = None,
                 data: Optional[str] = None,
                 depends_on: Optional['Run'] = None) -> None:
        self.experiment = experiment
        self.seed = seed
        self.depends_on = depends_on
        self.data = data and str(data)
        self.cfg = cfg = Config.fromfile(root / experiment.config)
        cfg.merge_from_dict(experiment.options)
        for key, value in read_config(data).items() if data else ():
            if key in RECIPE:
                raise UserError(f'--data {data} sets {key}, which is part of '
                                'the recipe: give dataloaders and '
                                'data_preprocessor alone.')
            cfg[key] = value
        self.full_epochs = cfg.train_cfg.max_epochs
        self.epochs = min(epochs or self.full_epochs, self.full_epochs)
        if self.epochs != self.full_epochs:
            shorten(cfg, self.epochs)
        if depends_on is not None:
            self._set_checkpoint(cfg, str(depends_on.checkpoint))
        self.name = f'{experiment.name.replace("/", "_")}_seed{seed}' \
                    f'_{self.epochs}e'
        self.work_dir = Path(folder, self.name)
        self.checkpoint: Path = self.work_dir / f'epoch_{self.epochs}.pth'
        self.result = self.work_dir / 'result.json'
        cfg.randomness.seed = seed
        cfg.work_dir = str(self.work_dir)

    def _set_checkpoint(self, cfg: Config, path: str) -> None:
        cfg.merge_from_dict({self.experiment.checkpoint_option: path})

    @property
    def shortened(self) -> bool:
        """Whether this run, or one that it depends on, is shortened."""
        return self.epochs != self.full_epochs or (
            self.depends_on is not None and self.depends_on.shortened)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the config and its teacher's, but for seed and folder."""
        cfg = copy.deepcopy(self.cfg)
        cfg.randomness.seed = cfg.work_dir = None
        if self.depends_on is not None:
            self._set_checkpoint(cfg, self.depends_on.fingerprint)
        text = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def curve(self, key: str = 'accuracy/top1') -> List[float]:
        """A metric after each validated epoch."""
        curve = read_curves(self.work_dir).get(key, {})
        return [curve[epoch] for epoch in sorted(curve)]

    @property
    def has_begun(self) -> bool:
        """Whether a checkpoint is there."""
        return any(self.work_dir.glob('epoch_*.pth'))

    @property
    def is_finished(self) -> bool:
        """Whether the last epoch is saved, whole, and validated."""
        return is_whole(self.checkpoint) and len(self.curve()) == self.epochs

    def drop_unvalidated_checkpoints(self) -> None:
        """Train an epoch again if a kill came before its validation.

        Without checkpoints the run starts anew and old logs are set aside.
        """
        if not self.has_begun:
            for path in self.work_dir.glob('*/vis_data/scalars.json'):
                path.rename(path.with_suffix('.old'))
        validated = len(self.curve())
        for path in self.work_dir.glob('epoch_*.pth'):
            if int(path.stem.split('_')[1]) > validated:
                path.unlink()

    def check_unchanged(self) -> None:
        """Refuse to go on with, or to average over, runs of two configs.

        Raises:
            UserError: If the config, data or teacher has changed since this
                run, or a finished one with another seed, began.
        """
        seeds = self.name.replace(f'_seed{self.seed}_', '_seed*_')
        for path in self.work_dir.parent.glob(f'{seeds}/fingerprint'):
            folder, before = path.parent, path.read_text()
            counts = (folder /
                      'result.json').exists() or (folder == self.work_dir
                                                  and self.has_begun)
            if counts and before != self.fingerprint:
                raise UserError(
                    f'{self.experiment.name}: {self.experiment.config}, the '
                    f'data config or the teacher has changed since {folder} '
                    f'began ({before} is now {self.fingerprint}). Restore it, '
                    f'or move {self.work_dir.parent} away; nothing was run or '
                    'lost.')


def read_curves(work_dir: Path) -> Dict[str, Dict[int, float]]:
    """Read what a run logged over all its interruptions.

    Args:
        work_dir (Path): Its folder, which has a folder for each start, or one
            file of scalars, such as a log of the model zoo.

    Returns:
        dict[str, dict[int, float]]: Values of each key by step: the iteration
        in training, the epoch in validation. What a later start logs replaces
        what was logged from there on.
    """
    curves: Dict[str, Dict[int, float]] = {}
    logs = [work_dir] if work_dir.is_file() else sorted(
        work_dir.glob('*/vis_data/scalars.json'))
    for path in logs:
        begun: Set[str] = set()
        for line in path.read_text().splitlines():
            try:
                scalars = json.loads(line)
            except ValueError:  # cut off by a kill
                continue
            for key, value in scalars.items():
                # The times of a step are logged in training and validation.
                if not isinstance(value,
                                  (int, float)) or (key.endswith('time')
                                                    and 'iter' not in scalars):
                    continue
                curve, step = curves.setdefault(key, {}), scalars['step']
                if key not in begun:
                    begun.add(key)
                    for later in [s for s in curve if s >= step]:
                        del curve[later]
                curve[step] = value
    return curves


def shorten(cfg: Config, epochs: int) -> None:
    """Scale a schedule to another number of epochs, in place."""
    factor = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    steps = cfg.param_scheduler  # a MultiStepLR in all of CIFAR's recipes
    steps.milestones = [max(1, round(m * factor)) for m in steps.milestones]
