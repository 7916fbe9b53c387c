# Copyright (c) gld_mm authors. All rights reserved.
from typing import Dict, List, Optional, Tuple

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmrazor.models.task_modules.recorder import RecorderManager
from torch import Tensor

from gld_mm.config import read_config
from gld_mm.errors import UserError
from gld_mm.models import GlobalLocalLogitsRecorder
from gld_mm.models.algorithms.select_classes import select_classes
from gld_mm.models.distillers import BaseGLDDistiller, SigmoidDenseGLDDistiller

from .networks import record
from .samples import Sample


def global_local_logits(network: BaseModel, samples: List[Sample],
                        config: Optional[str]) -> List[Tensor]:
    """Compute the logits that GLD compares.

    Args:
        network (BaseModel): Teacher or student of the distillation, or a
            network with the student's modules.
        samples (list[Sample]): Images, which may differ in size.
        config (str, optional): Path of the distillation config.

    Returns:
        list[Tensor]: Sets of logits ``(B, 1 + L, K)``, global first; one, or
        one of each level and anchor of a detector.

    Raises:
        UserError: If there is no distillation config, or the network is the
            student of a detector with sigmoids.
    """
    distiller, recorders, from_student = _prepare(network, config)
    if from_student and isinstance(distiller, SigmoidDenseGLDDistiller):
        raise UserError('GLD weights the logits of this detector by the '
                        "teacher's scores: draw those of the teacher.")
    sets = record(network, samples, recorders,
                  lambda: distiller._logits(from_student)[0])
    return [torch.cat(logits).cpu() for logits in zip(*sets)]


def has_sigmoids(config: Optional[str]) -> bool:
    """Whether the heads of a pair end with sigmoids."""
    return MODELS.build(_read_pair(config).distiller).sigmoid


def grid_of(config: Optional[str]) -> Tuple[int, int]:
    """Rows and columns of the local logits.

    Args:
        config (str, optional): Path of the distillation config.

    Returns:
        tuple[int, int]: Of a map that is large enough.
    """
    distiller = MODELS.build(_read_pair(config).distiller)
    if 'logits' in distiller.connectors:
        return distiller.connectors['logits'].grid
    return distiller.student_recorders.get_recorder('logits').grid


def feature_module(network: BaseModel, samples: List[Sample],
                   config: Optional[str]) -> str:
    """Name the module whose feature map GLD pools.

    Args:
        network (BaseModel): Teacher or student of the distillation.
        samples (list[Sample]): Images; the first is used to find a module that
            the config does not name.
        config (str, optional): Path of the distillation config.

    Returns:
        str: 'backbone' without a config, or of a network that distils maps of
        scores or has no local logits.
    """
    if config is not None:
        _, recorders, _ = _prepare(network, config)
        recorder = recorders.get_recorder('logits')
        if isinstance(recorder, GlobalLocalLogitsRecorder):
            module = recorder.source
            if module is None and recorder.cells is not None:
                record(network, samples[:1], recorders, lambda: None)
                module = recorder.cells.map_name
            return module or 'backbone'
    return 'backbone'


def _read_pair(config: Optional[str]) -> ConfigDict:
    """The model of a distillation config."""
    if config is None:
        raise UserError('None of the networks was distilled with GLD: name '
                        'the GLD config of the pair by --distiller.')
    cfg = read_config(config)
    init_default_scope(cfg.default_scope)
    cfg.model.distiller.pop('labels', None)  # unlabelled pixels count, too
    return cfg.model


def _prepare(
        network: BaseModel, config: Optional[str]
) -> Tuple[BaseGLDDistiller, RecorderManager, bool]:
    """Make a distiller record a network, which is its student or teacher."""
    pair = _read_pair(config)
    distiller = MODELS.build(pair.distiller)
    teacher = MODELS.build(pair.teacher)
    if _shapes(teacher) == _shapes(network):
        if pair.get('teacher_classes') is not None:
            select_classes(network, pair.teacher_classes)
        distiller.prepare_from_teacher(network)
        return distiller, distiller.teacher_recorders, False
    distiller.prepare_from_student(network)
    return distiller, distiller.student_recorders, True


def _shapes(network: BaseModel) -> Dict[str, torch.Size]:
    return {name: x.shape for name, x in network.state_dict().items()}
