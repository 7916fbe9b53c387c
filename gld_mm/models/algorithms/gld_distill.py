# Copyright (c) gld_mm authors. All rights reserved.
import warnings
from contextlib import nullcontext
from typing import ContextManager, Dict, List, Optional, OrderedDict, Union

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from mmrazor.models.algorithms import SingleTeacherDistill
from mmrazor.models.utils import add_prefix
from mmrazor.registry import MODELS
from torch import Tensor, nn

from .teacher_checkpoint import load_teacher


@MODELS.register_module()
class GLDDistill(SingleTeacherDistill):
    """Train a student next to a frozen teacher; keep the student only.

    The teacher's network runs without its loss, without gradient and in eval
    mode. It is no submodule: what is not in the module tree is not optimised,
    not saved, not put in train mode and not broadcast. A checkpoint is the
    plain student, which loads wherever the student's own config does (learned
    connectors, which GLD has none of, are added under ``distiller.``). The
    distiller says what is compared: :class:`GLDDistiller`, or any
    ``ConfigurableDistiller``.

    Args:
        architecture (dict | BaseModel): Config of the student, or the student.
        distiller (dict): Config of the distiller. If it has a ``task_weight``
            the student's own losses are multiplied by it.
        teacher (dict | BaseModel): Config of the teacher, or the teacher.
        teacher_ckpt (str, optional): Checkpoint of the teacher, a path or URL.
            With None a teacher given by its config starts from its
            ``init_cfg``, one that is built keeps its weights. Defaults to
            None.
        teacher_config (str, optional): Config that trains the teacher, named
            in the error when the checkpoint is missing or does not fit.
            Defaults to None.
        data_preprocessor (dict | nn.Module, optional): Preprocessor of the
            images of both networks. Defaults to None, the student's.
        init_cfg (dict, optional): Initialization config. Defaults to None.
        module_inplace (bool): Whether modules of the student may work in
            place, which can overwrite what is recorded. Defaults to False.
        teacher_dtype (str, optional): Precision of the teacher's forward, such
            as 'bfloat16', for which autocast is switched on; its logits change
            by rounding. Defaults to None, that of the student.

    Raises:
        UserError: If ``teacher_ckpt`` does not exist or does not fit the
            teacher.
    """

    def __init__(self,
                 architecture: Union[BaseModel, Dict],
                 distiller: dict,
                 teacher: Union[BaseModel, Dict],
                 teacher_ckpt: Optional[str] = None,
                 teacher_config: Optional[str] = None,
                 data_preprocessor: Optional[Union[Dict, nn.Module]] = None,
                 init_cfg: Optional[Dict] = None,
                 module_inplace: bool = False,
                 teacher_dtype: Optional[str] = None) -> None:
        # A built teacher without a checkpoint has its weights.
        init_teacher = teacher_ckpt is None and isinstance(teacher, dict)
        # The student draws the same initial weights as without a teacher.
        with torch.random.fork_rng(devices=[]):
            if isinstance(teacher, dict):
                teacher = MODELS.build(teacher)
        if init_teacher:
            warnings.warn('teacher_ckpt is None: the teacher is untrained, '
                          'unless its init_cfg loads a checkpoint.')
        if teacher_ckpt is not None:
            load_teacher(teacher, teacher_ckpt, teacher_config)
        super().__init__(
            architecture=architecture,
            distiller=distiller,
            teacher=teacher,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
            module_inplace=module_inplace)
        self.__dict__['teacher'] = self._modules.pop('teacher').eval()
        self.init_teacher = init_teacher
        self.teacher_dtype = (
            getattr(torch, teacher_dtype) if teacher_dtype else None)
        self._register_state_dict_hook(_drop_student_prefix)
        self._register_load_state_dict_pre_hook(self._add_student_prefix)

    def init_weights(self) -> None:
        """Initialize the student, and a teacher without a checkpoint."""
        super().init_weights()
        if self.init_teacher:
            with torch.random.fork_rng(devices=[]):
                self.teacher.init_weights()

    def train(self, mode: bool = True) -> 'GLDDistill':
        """Set the mode of student and distiller; the teacher stays in eval."""
        super().train(mode)
        return self

    def loss(
        self,
        batch_inputs: Tensor,
        data_samples: Optional[List[BaseDataElement]] = None
    ) -> Dict[str, Tensor]:
        """Run the teacher, then the student, and compare them.

        Args:
            batch_inputs (Tensor): Images ``(B, 3, H, W)``.
            data_samples (list[BaseDataElement], optional): Annotations.

        Returns:
            dict[str, Tensor]: The student's losses under ``student.``, the
            distiller's under ``distill.``; training minimises their sum.
        """
        if self.distillation_stopped:
            losses = self.student(batch_inputs, data_samples, mode='loss')
            return add_prefix(losses, 'student')

        distiller = self.distiller
        distiller.set_deliveries_override(False)
        with torch.no_grad(), self._teacher_precision(
                batch_inputs), distiller.teacher_recorders, \
                distiller.deliveries:
            self.teacher(batch_inputs, data_samples, mode='tensor')
        distiller.set_deliveries_override(True)
        with distiller.student_recorders, distiller.deliveries:
            losses = self.student(batch_inputs, data_samples, mode='loss')
        losses = _scale_losses(losses, getattr(distiller, 'task_weight', 1.))
        return {
            **add_prefix(losses, 'student'),
            **add_prefix(distiller.compute_distill_losses(), 'distill')
        }

    def _teacher_precision(self, inputs: Tensor) -> ContextManager:
        if self.teacher_dtype is None:
            return nullcontext()
        return torch.autocast(inputs.device.type, self.teacher_dtype)

    def _apply(self, fn, *args, **kwargs) -> nn.Module:
        # The teacher moves to a device or precision with the rest.
        self.teacher._apply(fn, *args, **kwargs)
        return super()._apply(fn, *args, **kwargs)

    def _add_student_prefix(self, state_dict: OrderedDict, prefix: str,
                            *args) -> None:
        for key in list(state_dict):
            name = key[len(prefix):]
            if key.startswith(prefix) and name.split(
                    '.')[0] not in self._modules:
                state_dict[f'{prefix}architecture.{name}'] = state_dict.pop(
                    key)


def _drop_student_prefix(module: nn.Module, state_dict: OrderedDict,
                         prefix: str, *args) -> None:
    """Rename ``architecture.x`` to ``x`` in weights and their metadata."""
    start = f'{prefix}architecture.'
    for mapping in (state_dict, getattr(state_dict, '_metadata', {})):
        for key in list(mapping):
            value = mapping.pop(key)
            if key.startswith(start):
                key = prefix + key[len(start):]
            mapping[key] = value


def _scale_losses(losses: dict, weight: float) -> dict:
    """Multiply what :meth:`BaseModel.parse_losses` will sum."""

    def scale(value):
        if isinstance(value, (list, tuple)):
            return [weight * item for item in value]
        return weight * value

    return {k: scale(v) if 'loss' in k else v for k, v in losses.items()}
