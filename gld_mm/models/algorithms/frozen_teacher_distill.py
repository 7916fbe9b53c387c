# Copyright (c) gld_mm authors. All rights reserved.
import copy
import warnings
from contextlib import nullcontext
from typing import ContextManager, Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from mmengine.utils import to_2tuple
from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.models.utils import add_prefix
from mmrazor.registry import MODELS
from torch import Tensor, nn

from gld_mm.engine.checkpoint import load_teacher
from gld_mm.engine.compile import compile_parts
from gld_mm.errors import UserError

from .prepare_for_inference import prepare_for_inference
from .select_classes import select_classes
from .teacher_input import TeacherInput, teacher_input

# One number, or height and width
Size = Union[int, Tuple[int, int]]


class FrozenTeacherDistill(BaseModel):
    """A student that learns from one frozen teacher.

    The model *is* the student: its class derives from the student's own class
    and replaces nothing but ``loss``. So the student trains as its own config
    says, every hook, optimizer constructor and tool of the hosts finds what it
    looks for, and a checkpoint is the plain student. (Learned connectors,
    which GLD does not have, are added under ``distiller.``.)

    The teacher runs without its loss, without gradient and in eval mode. It is
    not a submodule, so it is not optimised, not saved, not put in train mode
    and not broadcast.
    """

    teacher: BaseModel
    distiller: ConfigurableDistiller

    def learn_from(self, teacher: BaseModel, distiller: ConfigurableDistiller,
                   task_loss_weight: float, init_teacher: bool,
                   prepare_teacher: bool, compile_teacher: bool,
                   teacher_dtype: Optional[torch.dtype],
                   map_input: Optional[TeacherInput]) -> None:
        """Attach a teacher, see :func:`frozen_teacher_distill`."""
        self.distiller = distiller
        self.distillation_stopped = False  # mmrazor's StopDistillHook sets it
        self.task_loss_weight = task_loss_weight
        self.init_teacher = init_teacher
        self.prepare_teacher = prepare_teacher
        self.compile_teacher = compile_teacher
        self.teacher_dtype = teacher_dtype
        self.map_input = map_input
        self.__dict__['teacher'] = teacher.requires_grad_(False).eval()
        distiller.prepare_from_student(self)
        distiller.prepare_from_teacher(teacher)
        if not init_teacher:
            self._make_teacher_fast()

    def init_weights(self) -> None:
        """Initialize the student, and a teacher without a checkpoint."""
        super().init_weights()
        if self.init_teacher:
            with torch.random.fork_rng(devices=[]):
                self.teacher.init_weights()
            self._make_teacher_fast()

    def _make_teacher_fast(self) -> None:
        if self.prepare_teacher:
            prepare_for_inference(self.teacher)
        if self.compile_teacher:
            compile_parts(self.teacher)

    def loss(self, inputs: Tensor,
             data_samples: List[BaseDataElement]) -> Dict[str, Tensor]:
        """Run the teacher, then the student, and compare them.

        Args:
            inputs (Tensor): Images ``(B, 3, H, W)``.
            data_samples (list[BaseDataElement]): Annotations.

        Returns:
            dict[str, Tensor]: The student's losses under ``student.``, the
            distiller's under ``distill.``; training minimises their sum.
        """
        if self.distillation_stopped:
            return add_prefix(super().loss(inputs, data_samples), 'student')

        distiller = self.distiller
        distiller.set_deliveries_override(False)
        with torch.no_grad(), self._teacher_precision(
                inputs), distiller.teacher_recorders, distiller.deliveries:
            self.teacher(
                self.as_teacher_sees(inputs), data_samples, mode='tensor')
        distiller.set_deliveries_override(True)
        with distiller.student_recorders, distiller.deliveries:
            losses = super().loss(inputs, data_samples)
        losses = _scale_losses(losses, self.task_loss_weight)
        return {
            **add_prefix(losses, 'student'),
            **add_prefix(distiller.compute_distill_losses(), 'distill')
        }

    def as_teacher_sees(self, inputs: Tensor) -> Tensor:
        """Normalise a batch as the teacher's own preprocessor does.

        Args:
            inputs (Tensor): As the student sees them, ``(B, 3, H, W)``.

        Returns:
            Tensor: The same where the two do not differ.
        """
        return inputs if self.map_input is None else self.map_input(inputs)

    def _teacher_precision(self, inputs: Tensor) -> ContextManager:
        if self.teacher_dtype is None:
            return nullcontext()
        return torch.autocast(inputs.device.type, self.teacher_dtype)

    def _apply(self, fn, *args, **kwargs) -> nn.Module:
        # The teacher moves to a device or precision with the rest.
        self.teacher._apply(fn, *args, **kwargs)
        return super()._apply(fn, *args, **kwargs)

    def __deepcopy__(self, memo: dict) -> 'FrozenTeacherDistill':
        # An average of the weights (EMAHook) shares the teacher, and with it
        # what the teacher's modules report to.
        for shared in (self.teacher, self.distiller.teacher_recorders):
            memo[id(shared)] = shared
        memo[id(self)] = other = type(self).__new__(type(self))
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return other


@MODELS.register_module(name=['FrozenTeacherDistill', 'GLDDistill'])
def frozen_teacher_distill(architecture: Union[BaseModel, Dict],
                           distiller: dict,
                           teacher: Union[BaseModel, Dict],
                           teacher_ckpt: Optional[str] = None,
                           teacher_config: Optional[str] = None,
                           teacher_classes: Optional[Sequence[Union[
                               int, str]]] = None,
                           task_loss_weight: Optional[float] = None,
                           prepare_teacher: bool = True,
                           compile_teacher: bool = False,
                           teacher_dtype: Optional[str] = None,
                           map_teacher_input: bool = True,
                           teacher_size: Optional[Size] = None,
                           **student_settings) -> FrozenTeacherDistill:
    """Build a student that learns from a frozen teacher.

    Args:
        architecture (dict | BaseModel): Config of the student, or the student.
        distiller (dict): Config of the distiller, which says what is compared:
            :class:`GLDDistiller`, or any ``ConfigurableDistiller``.
        teacher (dict | BaseModel): Config of the teacher, or the teacher.
        teacher_ckpt (str, optional): Checkpoint of the teacher, a path or URL.
            Defaults to None: a teacher given by its config starts from its
            ``init_cfg``, one that is built keeps its weights.
        teacher_config (str, optional): Config that trains the teacher, named
            in the error if the checkpoint is missing or does not fit.
            Defaults to None.
        teacher_classes (Sequence[int | str], optional): The teacher's label or
            its name, of each class of the student; for a teacher of more
            classes or of another order. Defaults to None, the same classes.
        task_loss_weight (float, optional): Weight of the student's own losses
            while it is distilled. Defaults to None, the distiller's
            ``task_loss_weight`` if it has one, else 1.
        prepare_teacher (bool): Whether to make the teacher's forward faster,
            see :func:`prepare_for_inference`. A teacher that is given built is
            left as it is. Defaults to True.
        compile_teacher (bool): Whether to compile the teacher, see
            :func:`gld_mm.engine.compile.compile_parts`; ``compile=True`` at
            the top of a config compiles both networks. Defaults to False.
        teacher_dtype (str, optional): Precision of the teacher's forward under
            autocast, such as 'bfloat16'; its logits change by rounding.
            Defaults to None, as the student.
        map_teacher_input (bool): Whether the teacher sees the batch as its own
            ``data_preprocessor`` would normalise it, if its config has one
            that differs from the student's. Defaults to True.
        teacher_size (int | tuple[int, int], optional): Height and width to
            which the teacher's images are resized. Defaults to None, the
            student's.
        **student_settings: What a config sets beside the student and its own
            class takes, such as ``data_preprocessor``. The student's own
            preprocessor wins, as it does when it trains alone.

    Returns:
        FrozenTeacherDistill: The student.

    Raises:
        UserError: If ``teacher_ckpt`` does not exist or does not fit the
            teacher, if ``teacher_dtype`` is no precision, if
            ``compile_teacher`` cannot be done here, or if the student has
            another value of what is set beside it.
    """
    dtype = getattr(torch, teacher_dtype, None) if teacher_dtype else None
    if teacher_dtype and not isinstance(dtype, torch.dtype):
        raise UserError(f'teacher_dtype "{teacher_dtype}" is none of torch, '
                        'such as "bfloat16".')
    for name in set(student_settings) - {'data_preprocessor'}:
        if not isinstance(architecture, dict):
            raise TypeError(
                f'{name} has no effect on a student that is built.')
        if name in architecture and student_settings[name] not in (
                None, architecture[name]):
            raise UserError(f'model.{name} has no effect, the student is '
                            'model.architecture: set model.architecture.'
                            f'{name}.')
    # A teacher that is given built has its weights, and may have a default
    # preprocessor, which normalises nothing.
    if isinstance(teacher, dict):
        from_config = True
        # mmrazor builds the config that "cfg_path" names, with its own.
        is_normalised = bool(
            teacher.get('data_preprocessor') or teacher.get('cfg_path'))
        # The student draws the same initial weights as without a teacher.
        with torch.random.fork_rng(devices=[]):
            teacher = MODELS.build(teacher)
    else:
        from_config = False
        is_normalised = getattr(teacher.data_preprocessor, '_enable_normalize',
                                False)
    init_teacher = teacher_ckpt is None and from_config
    if init_teacher:
        warnings.warn('teacher_ckpt is None: the teacher is untrained, '
                      'unless its init_cfg loads a checkpoint.')
    if teacher_ckpt is not None:
        load_teacher(teacher, teacher_ckpt, teacher_config)
    if teacher_classes is not None:
        if init_teacher and not teacher.is_init:
            raise UserError('teacher_classes needs the weights as '
                            'teacher_ckpt: init_cfg loads them afterwards.')
        select_classes(teacher, teacher_classes)
    student = MODELS.build({
        **student_settings,
        **architecture
    }) if isinstance(architecture, dict) else architecture
    # What works in place can overwrite what is recorded.
    for module in (*student.modules(), *teacher.modules()):
        if getattr(module, 'inplace', False):
            module.inplace = False
    map_input = None
    if map_teacher_input and (is_normalised or teacher_size):
        wanted = teacher if is_normalised else student
        map_input = teacher_input(
            student.data_preprocessor, wanted.data_preprocessor,
            to_2tuple(teacher_size) if teacher_size else None)
    if map_input is not None:
        print_log(f'The teacher sees the images by {map_input}.', 'current')
    built = MODELS.build(distiller)
    if task_loss_weight is None:
        task_loss_weight = getattr(built, 'task_loss_weight', 1.)
    kind = type(student)
    student.__class__ = type(f'Distilled{kind.__name__}',
                             (FrozenTeacherDistill, kind),
                             dict(__module__=kind.__module__))
    student.learn_from(
        teacher,
        built,
        task_loss_weight,
        init_teacher,
        prepare_teacher=prepare_teacher and from_config,
        compile_teacher=compile_teacher,
        teacher_dtype=dtype,
        map_input=map_input)
    return student


def _scale_losses(losses: dict, weight: float) -> dict:
    """Multiply the entries that :meth:`BaseModel.parse_losses` will sum."""

    def scale(value):
        if isinstance(value, (list, tuple)):
            return [weight * item for item in value]
        return weight * value

    return {k: scale(v) if 'loss' in k else v for k, v in losses.items()}
