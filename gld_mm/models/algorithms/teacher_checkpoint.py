# Copyright (c) gld_mm authors. All rights reserved.
import re
from pathlib import Path
from typing import Optional

from mmengine.runner import CheckpointLoader
from torch import nn


def load_teacher(teacher: nn.Module,
                 ckpt: str,
                 config: Optional[str] = None) -> None:
    """Load a teacher's checkpoint, which has to fit in every weight.

    Args:
        teacher (nn.Module): The network to load it into.
        ckpt (str): Path or URL of the checkpoint.
        config (str, optional): Config that trains the teacher, for the error.
            Defaults to None.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no checkpoint, or of another network, or of
            other classes.
    """
    hint = f' Train it with: python tools/train.py {config or "ITS_CONFIG"}'
    if '://' not in ckpt and not Path(ckpt).is_file():
        raise FileNotFoundError(f'teacher_ckpt "{ckpt}" does not exist.{hint}')
    try:
        checkpoint = CheckpointLoader.load_checkpoint(ckpt, map_location='cpu')
        state = checkpoint.get('state_dict', checkpoint)
        state = {
            re.sub(r'^module\.', '', k): v
            for k, v in state.items() if not k.startswith('distiller.')
        }
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise ValueError(f'teacher_ckpt "{ckpt}" cannot be read as a file of '
                         f'plain weights ({reason}).{hint}') from error
    misfit = describe_misfit(teacher, state)
    if misfit:
        raise ValueError(f'teacher_ckpt "{ckpt}" {misfit}.{hint}')
    teacher.load_state_dict(state, strict=False)


def describe_misfit(model: nn.Module, state: dict) -> Optional[str]:
    """Say in one line why weights are not those of a model.

    Args:
        model (nn.Module): The network.
        state (dict[str, Tensor]): The weights.

    Returns:
        str | None: None if every weight fits. ``num_batches_tracked`` of batch
        norm, which old checkpoints lack, may be missing.
    """
    own = model.state_dict()
    lacking = [
        k for k in own if k not in state and 'num_batches_tracked' not in k
    ]
    surplus = [k for k in state if k not in own]
    if lacking or surplus:
        example = f'it lacks "{lacking[0]}"' if lacking else \
            f'it has "{surplus[0]}", which the teacher lacks'
        return (
            f'is of another network: {len(lacking)} weights of the teacher '
            f'are missing and {len(surplus)} are unknown to it, {example}')
    shapes = {
        k: (tuple(state[k].shape), tuple(own[k].shape))
        for k in own if k in state and state[k].shape != own[k].shape
    }
    if not shapes:
        return None
    # Classes are the first dimension of a classifier's weights, and nothing
    # else; another width changes the second dimension of some weights too.
    classes = all(a[1:] == b[1:] for a, b in shapes.values())
    name, (theirs, ours) = list(shapes.items())[-1]
    kind = 'other classes' if classes else 'another network'
    return (
        f'is of {kind}: {len(shapes)} weights differ in shape, "{name}" is '
        f'{theirs} in the file and {ours} in the teacher')
