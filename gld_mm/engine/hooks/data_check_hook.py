# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Sequence

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner

from gld_mm.config.read import count_classes
from gld_mm.datasets.checks.classes import check_agreement, describe_conflict
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.engine.processes import teacher_of, unwrapped
from gld_mm.errors import UserError

# The losses of mmrazor and of this package that compare class by class
_BY_CLASS = ('BinaryKLLoss', 'CrossEntropyLoss', 'DISTLoss', 'DKDLoss',
             'KDSoftCELoss', 'KLDivergence', 'NormalizedKLLoss', 'WSLD')


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Check classes, files, boxes and masks before the first step.

    The number of classes has to be that of the head, and a label has to mean
    the same to the training set, the validation set and the teacher. Of XML
    files and masks a sample is read, so that training starts at once;
    ``tools/check_data.py`` reads all.

    Args:
        sample (int): How many files of each kind and dataset are read.
            Defaults to 100.
    """

    priority = 'VERY_HIGH'  # before the teacher runs on the data

    def __init__(self, sample: int = 100) -> None:
        self.sample = sample

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Check the datasets of training and validation.

        Raises:
            UserError: If classes do not fit, or something cannot be learnt
                from.
        """
        train = self._check(runner, runner.train_loop)
        if runner.val_loop is not None:
            val = self._check(runner, runner.val_loop)
            check_agreement(runner.train_loop.dataloader.dataset,
                            runner.val_loop.dataloader.dataset, train, val)
        self._check_teacher(runner, train)

    def _check(self, runner: Runner,
               loop: BaseLoop) -> Optional[Sequence[str]]:
        dataset = loop.dataloader.dataset
        runner.logger.info(f'Checking {type(dataset).__name__}, '
                           f'{len(dataset)} images.')
        metrics = getattr(getattr(loop, 'evaluator', None), 'metrics', ())
        return check_samples(
            dataset,
            count_classes(runner.cfg.get('model') or {}),
            self.sample,
            evaluated=any(
                getattr(m, '_coco_api', None) is not None for m in metrics))

    def _check_teacher(self, runner: Runner,
                       classes: Optional[Sequence[str]]) -> None:
        meta = getattr(teacher_of(runner.model), 'dataset_meta', None)
        known = (meta or {}).get('classes')
        # mmdet labels in the order of COCO's file, and its checkpoints name
        # the classes in the order of the config.
        dataset = runner.train_loop.dataloader.dataset
        named = getattr(dataset, 'metainfo', {}).get('classes')
        conflict, other = [
            describe_conflict(names, known, 'the dataset', 'the teacher')
            for names in (classes, named)
        ]
        if not (conflict and other) or len(known or ()) != len(classes or ()):
            return
        line = (f'{conflict} Set teacher_classes of the model, a list of the '
                "teacher's labels or names in the order of the dataset's "
                'classes.')
        # Distances among logits, and features, do not depend on the order.
        losses = unwrapped(runner.model).distiller.distill_losses.values()
        if any(type(loss).__name__ in _BY_CLASS for loss in losses):
            raise UserError(line)
        runner.logger.warning(line)
