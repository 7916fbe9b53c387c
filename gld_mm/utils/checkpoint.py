# Copyright (c) gld_mm authors. All rights reserved.
import warnings
import zipfile
from pathlib import Path
from typing import Optional

from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader
from torch import nn

from .user_error import UserError


def newest_checkpoint(work_dir: str) -> Optional[str]:
    """Find the newest whole checkpoint of a run.

    A run that is killed while it writes, or whose disk is full, leaves a file
    that is cut off.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        str, optional: Path of ``epoch_N.pth`` or ``iter_N.pth`` with the
        largest N, without those that are cut off; None if there is none.
    """
    paths = [
        path for kind in ('epoch', 'iter')
        for path in Path(work_dir).glob(f'{kind}_*.pth')
        if path.stem.split('_')[1].isdigit()
    ]
    # Epochs and iterations do not compare; a run writes one kind.
    for path in sorted(
            paths, key=lambda p: int(p.stem.split('_')[1]), reverse=True):
        if is_whole(path):
            return str(path)
        warnings.warn(f'{path} is cut off and skipped.')
    return None


def is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end.

    PyTorch's files are zip archives, whose index comes last.

    Args:
        path (Path): The file.

    Returns:
        bool: False of one that is cut off.
    """
    return zipfile.is_zipfile(path)


def is_missing(path: str) -> bool:
    """Whether there is no such checkpoint.

    Args:
        path (str): Its path; a URL is taken to be there.

    Returns:
        bool: True if there is no file.
    """
    return '://' not in path and not Path(path).is_file()


def check_exists(path: str) -> None:
    """Look for a checkpoint.

    Args:
        path (str): Its path; a URL passes.

    Raises:
        UserError: If there is no such file.
    """
    if is_missing(path):
        raise UserError(f'The checkpoint {path} does not exist.')


def check_fits(model: nn.Module, path: str) -> dict:
    """Check that a checkpoint has every weight of a network, and no other.

    mmengine loads what fits and logs the rest.

    Args:
        model (nn.Module): The network.
        path (str): Path or URL of the checkpoint.

    Returns:
        dict[str, Tensor]: Its weights, on the CPU.

    Raises:
        UserError: If it cannot be read or is of another network.
    """
    check_exists(path)
    try:
        state = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        state = state.get('state_dict', state)
    except Exception as error:
        raise UserError(f'The checkpoint {path} cannot be read: {error}. Is '
                        'it cut off?') from error
    if is_model_wrapper(model):
        model = model.get_submodule('module')
    misfit = describe_misfit(model, state)
    if misfit:
        raise UserError(f'The checkpoint {path} {misfit}.')
    return state


def describe_misfit(model: nn.Module,
                    state: dict,
                    name: str = 'the model') -> Optional[str]:
    """Say in one line why weights are not those of a model.

    Args:
        model (nn.Module): The network.
        state (dict[str, Tensor]): The weights.
        name (str): What to call the network. Defaults to 'the model'.

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
            f'it has "{surplus[0]}", which {name} lacks'
        return (f'is of another network: {len(lacking)} weights of {name} '
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
    weight, (theirs, ours) = list(shapes.items())[-1]
    kind = 'other classes' if classes else 'another network'
    return (
        f'is of {kind}: {len(shapes)} weights differ in shape, "{weight}" is '
        f'{theirs} in the file and {ours} in {name}')
