# Copyright (c) gld_mm authors. All rights reserved.
import torch
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.utils import digit_version
from torch import nn

from gld_mm.errors import UserError


def compile_parts(network: BaseModel, **options) -> None:
    """Compile the forward of a network's backbone, neck and heads, in place.

    mmengine's ``compile=True`` compiles ``train_step``: the optimizer, again
    for each learning rate, and losses of annotations in lists, again for each
    size of a batch. The parts take tensors only. Names of weights stay.

    Args:
        network (BaseModel): The network.
        **options: Options of ``torch.compile``. ``dynamic`` is True unless it
            is given, so that the last, smaller batch is not compiled again.
            PyTorch 2.1, which cannot trace ResNet so, compiles it again.

    Raises:
        UserError: If the backend of ``torch.compile`` cannot compile here.
    """
    if digit_version(torch.__version__) >= digit_version('2.2'):
        options.setdefault('dynamic', True)
    try:
        torch.compile(lambda x: x + 1, **options)(
            torch.ones(2, device=get_device()))
    except RuntimeError as error:
        reason = ' '.join(str(error).strip().splitlines()[:2])
        raise UserError(f'torch.compile does not work here ({reason}): '
                        'install a C++ compiler such as g++, or leave out '
                        '"compile".') from error
    for name, part in network.named_children():
        if name == 'data_preprocessor':
            continue
        for module in part if isinstance(part, nn.ModuleList) else [part]:
            if type(module).forward is not nn.Module.forward:
                module.forward = torch.compile(module.forward, **options)
