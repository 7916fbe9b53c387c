# Copyright (c) gld_mm authors. All rights reserved.
import copy
import hashlib
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from ..utils import read_scalars
from ..utils.checkpoint import is_whole
from .cell import Cell

# Settings of schedulers that count epochs.
_EPOCHS = ('begin', 'end', 'T_max')


class RunFailed(Exception):
    """A run ended before its last epoch. The message is one line."""


class Run:
    """A cell with a seed and a number of epochs, in a folder of its own.

    Args:
        cell (Cell): What is trained.
        seed (int): Seed of the run.
        folder (Path): Where the folders of all runs are.
        root (Path): Where ``configs/`` is.
        epochs (int, optional): Length of a shortened schedule, to which the
            learning rate's steps are scaled. Defaults to None, the config's.
        data (str, optional): Config whose settings, the datasets', replace
            those of the cell's config. Defaults to None.
        needs (Run, optional): The run whose weights this one uses. Defaults to
            None.
    """

    def __init__(self,
                 cell: Cell,
                 seed: int,
                 folder: Path,
                 root: Path,
                 epochs: Optional[int] = None,
                 data: Optional[str] = None,
                 needs: Optional['Run'] = None) -> None:
        self.cell = cell
        self.seed = seed
        self.folder = Path(folder)
        self.needs = needs
        cfg = Config.fromfile(root / cell.config)
        if data is not None:
            for key, value in Config.fromfile(data).items():
                cfg[key] = value
        self.full_epochs = cfg.train_cfg.max_epochs
        self.epochs = epochs or self.full_epochs
        if self.epochs != self.full_epochs:
            shorten(cfg, self.epochs)
        if needs is not None:
            cfg.merge_from_dict({cell.key: str(needs.checkpoint)})
        cfg.randomness.seed = seed
        cfg.work_dir = str(self.work_dir)
        self.cfg = cfg

    @property
    def name(self) -> str:
        """Cell, seed and epochs, in a form that a folder can have."""
        return f'{self.cell.name.replace("/", "_")}_seed{self.seed}' \
               f'_{self.epochs}e'

    @property
    def key(self) -> Tuple[str, int, int]:
        """What tells a result from others."""
        return self.cell.name, self.seed, self.epochs

    @property
    def work_dir(self) -> Path:
        """The run's folder."""
        return self.folder / self.name

    @property
    def checkpoint(self) -> Path:
        """The weights after the last epoch."""
        return self.work_dir / f'epoch_{self.epochs}.pth'

    @property
    def shortened(self) -> bool:
        """Whether it, or what it builds on, is shorter than its config."""
        return self.epochs != self.full_epochs or (self.needs is not None
                                                   and self.needs.shortened)

    @cached_property
    def fingerprint(self) -> str:
        """Eight digits that change when the config does, or a teacher's.

        Seeds, and the folder of the runs, do not count.
        """
        cfg = copy.deepcopy(self.cfg)
        cfg.randomness.seed = cfg.work_dir = None
        if self.needs is not None:
            cfg.merge_from_dict({self.cell.key: self.needs.fingerprint})
        return hashlib.sha256(cfg.pretty_text.encode()).hexdigest()[:8]

    def curve(self, key: str = 'accuracy/top1') -> List[float]:
        """Read a metric after each validated epoch, over interruptions.

        Args:
            key (str): Name of the metric. Defaults to 'accuracy/top1'.

        Returns:
            list[float]: By epoch.
        """
        by_epoch: Dict[int, float] = {}
        for path in self._scalars():
            for record in read_scalars(path):
                if key in record:
                    by_epoch[record['step']] = record[key]
        return [by_epoch[epoch] for epoch in sorted(by_epoch)]

    def seconds(self) -> float:
        """Time from start to last line of the log, without interruptions."""
        return sum(path.stat().st_mtime - datetime.strptime(
            path.parents[1].name, '%Y%m%d_%H%M%S').timestamp()
                   for path in self._scalars())

    @property
    def is_finished(self) -> bool:
        """Whether the last epoch is saved, whole, and validated."""
        return self.has_weights and len(self.curve()) == self.epochs

    @property
    def has_weights(self) -> bool:
        """Whether the last checkpoint is there and whole."""
        return is_whole(self.checkpoint)

    @property
    def has_begun(self) -> bool:
        """Whether an epoch is saved."""
        return any(self.work_dir.glob('epoch_*.pth'))

    def tidy(self) -> None:
        """Leave checkpoints and accuracies of the same epochs.

        A kill between the two leaves an epoch without accuracy: its checkpoint
        is removed, so that it is trained again from the one before. Without
        checkpoints the run starts anew, and old logs are set aside.
        """
        if not self.has_begun:
            for path in self._scalars():
                path.rename(path.with_suffix('.old'))
        validated = len(self.curve())
        for path in self.work_dir.glob('epoch_*.pth'):
            if int(path.stem.split('_')[1]) > validated:
                path.unlink()

    def weight_hash(self) -> str:
        """Eight digits of the SHA-256 of the last weights."""
        digest = hashlib.sha256()
        checkpoint = CheckpointLoader.load_checkpoint(
            str(self.checkpoint), map_location='cpu', logger='silent')
        for name, value in sorted(checkpoint['state_dict'].items()):
            digest.update(name.encode())
            digest.update(value.contiguous().view(-1).view(
                torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:8]

    def _scalars(self) -> List[Path]:
        return sorted(self.work_dir.glob('*/vis_data/2*.json'))


def shorten(cfg: Config, epochs: int) -> None:
    """Scale a schedule to another number of epochs.

    Args:
        cfg (Config): A config that counts epochs; changed in place.
        epochs (int): The new number. Steps go to the nearest epoch.
    """
    factor = epochs / cfg.train_cfg.max_epochs
    schedulers = cfg.param_scheduler
    for scheduler in (schedulers
                      if isinstance(schedulers, list) else [schedulers]):
        if 'milestones' in scheduler:
            scheduler.milestones = [
                max(1, round(m * factor)) for m in scheduler.milestones
            ]
        for name in _EPOCHS:
            if name in scheduler:
                scheduler[name] = round(scheduler[name] * factor)
    cfg.train_cfg.max_epochs = epochs
