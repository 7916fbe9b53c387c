# Copyright (c) gld_mm authors. All rights reserved.
from torch import nn

from gld_mm.errors import UserError


def find_module(model: nn.Module, name: str) -> nn.Module:
    """Find a module by its name.

    Args:
        model (nn.Module): The network.
        name (str): Name of a module in it.

    Returns:
        nn.Module: The module.

    Raises:
        UserError: If the network has no module of that name.
    """
    modules = dict(model.named_modules())
    if name not in modules:
        known = [n for n in modules if n and n.count('.') < 2]
        raise UserError(f'{type(model).__name__} has no module "{name}"; its '
                        f'first modules are {", ".join(known[:20])}.')
    return modules[name]
