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


def build_distiller(config: str) -> BaseGLDDistiller:
    """Build the distiller of a pair, which compares unlabelled pixels too.

    Args:
        config (str): Path of the distillation config.
    """
    return MODELS.build(_read_pair(config).distiller)


def _read_pair(config: str) -> ConfigDict:
    cfg = read_config(config)
    init_default_scope(cfg.default_scope)
    cfg.model.distiller.pop('labels', None)
    return cfg.model


def global_local_logits(network: BaseModel, samples: List[Sample],
                        config: str) -> List[Tensor]:
    """Compute the logits that GLD compares.

    Args:
        network (BaseModel): Teacher or student of the distillation, or a
            network with the student's modules.
        samples (list[Sample]): Images, which may differ in size.
        config (str): Path of the distillation config.

    Returns:
        list[Tensor]: Sets of logits ``(B, 1 + L, K)``, global first; one, or
        one of each level and anchor of a detector.

    Raises:
        UserError: If the network is the student of a detector with sigmoids.
    """
    distiller, recorders, from_student = _prepare(network, config)
    if from_student and isinstance(distiller, SigmoidDenseGLDDistiller):
        raise UserError('GLD weights the logits of this detector by the '
                        "teacher's scores: draw those of the teacher.")
    sets = record(network, samples, recorders,
                  lambda: distiller._logits(from_student)[0])
    return [torch.cat(logits).cpu() for logits in zip(*sets)]


def grid_of(distiller: BaseGLDDistiller) -> Tuple[int, int]:
    """Rows and columns of the local logits, on a map that is large enough."""
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


def _prepare(network: BaseModel,
             config: str) -> Tuple[BaseGLDDistiller, RecorderManager, bool]:
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
