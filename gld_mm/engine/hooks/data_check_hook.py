# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...utils.data_check import check_samples


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Check classes and files of the datasets before the first step.

    Args:
        num_classes (int, optional): Classes of the model's head.
            Defaults to None, not compared.
    """

    priority = 'VERY_HIGH'  # before the teacher runs on the data

    def __init__(self, num_classes: Optional[int] = None) -> None:
        self.num_classes = num_classes

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Check the datasets of training and validation.

        Args:
            runner (Runner): The runner of the training process.

        Raises:
            UserError: If the number of classes differs or files are missing.
        """
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                check_samples(loop.dataloader.dataset, self.num_classes)
