# Copyright (c) gld_mm authors. All rights reserved.
import re
from typing import Optional

from mmengine.runner import CheckpointLoader
from torch import nn

from ...utils.checkpoint import describe_misfit, is_missing
from ...utils.user_error import UserError


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
        UserError: If there is no such file, it is no checkpoint, or it is of
            another network or of other classes.
    """
    check_teacher_exists(ckpt, config)
    hint = _hint(config)
    try:
        checkpoint = CheckpointLoader.load_checkpoint(ckpt, map_location='cpu')
        state = checkpoint.get('state_dict', checkpoint)
        state = {
            re.sub(r'^module\.', '', k): v
            for k, v in state.items() if not k.startswith('distiller.')
        }
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise UserError(f'teacher_ckpt "{ckpt}" cannot be read as a file of '
                        f'plain weights ({reason}).{hint}') from error
    misfit = describe_misfit(teacher, state, 'the teacher')
    if misfit:
        raise UserError(f'teacher_ckpt "{ckpt}" {misfit}.{hint}')
    teacher.load_state_dict(state, strict=False)


def check_teacher_exists(ckpt: str, config: Optional[str] = None) -> None:
    """Look for a teacher's checkpoint.

    Args:
        ckpt (str): Path of the checkpoint; a URL passes.
        config (str, optional): Config that trains the teacher, for the error.
            Defaults to None.

    Raises:
        UserError: If there is no such file.
    """
    if is_missing(ckpt):
        raise UserError(f'teacher_ckpt "{ckpt}" does not exist.'
                        f'{_hint(config)}')


def _hint(config: Optional[str]) -> str:
    return f' Train it with: python tools/train.py {config or "ITS_CONFIG"}'
