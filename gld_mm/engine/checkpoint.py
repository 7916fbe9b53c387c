# Copyright (c) gld_mm authors. All rights reserved.
"""Find, read and load checkpoints."""
import re
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, List, Optional, Tuple

from mmengine.runner import CheckpointLoader, find_latest_checkpoint
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from gld_mm.engine.processes import unwrapped
from gld_mm.errors import UserError

_SHAPES = re.compile(r'size mismatch for (\S+): .*?torch\.Size\(\[(.*?)\]\)'
                     r'.*?torch\.Size\(\[(.*?)\]\)')


def newest_checkpoint(work_dir: str) -> Optional[str]:
    """Find the newest whole checkpoint of a run.

    A run that is killed while it writes, or whose disk is full, leaves a file
    that is cut off.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        str, optional: Path of ``epoch_N.pth`` or ``iter_N.pth`` with the
        largest N, without those that are cut off. Without any, what the
        run's ``last_checkpoint`` names, of another name or folder. None if
        there is none.
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
    last = find_latest_checkpoint(work_dir)
    if last and ('://' in last or is_whole(Path(last))):
        return last
    return None


def is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end, where zip has its index."""
    return zipfile.is_zipfile(path)


def check_exists(path: str, name: str = 'The checkpoint') -> None:
    """Look for a checkpoint; a URL is taken to be there.

    Raises:
        UserError: If there is no such file.
    """
    if '://' not in path and not Path(path).is_file():
        raise UserError(f'{name} "{path}" does not exist.')


def read_checkpoint(path: str, name: str = 'The checkpoint') -> dict:
    """Read a checkpoint.

    Args:
        path (str): Its path or URL.
        name (str): What to call it. Defaults to 'The checkpoint'.

    Returns:
        dict: What is in the file, tensors on the CPU; its weights are under
        ``state_dict`` even if the file holds nothing else.

    Raises:
        UserError: If it does not exist or cannot be read.
    """
    check_exists(path, name)
    try:
        checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        if 'state_dict' not in checkpoint:
            checkpoint = dict(state_dict=checkpoint)
        checkpoint['state_dict'].keys()
    except Exception as error:
        raise UserError(f'{name} "{path}" cannot be read as a file of plain '
                        f'weights: {error}') from error
    return checkpoint


def load_weights(model: nn.Module,
                 state: dict,
                 source: str,
                 name: str = 'the model') -> None:
    """Load weights, each of which has to fit.

    mmengine loads what fits and logs the rest. Weights are compared after the
    model has renamed or resized what it renames or resizes while it loads.

    Args:
        model (nn.Module): The network.
        state (dict[str, Tensor]): The weights. Those of a learned connector,
            which a distillation saves beside the student, are left out
            where the network has no distiller. ``num_batches_tracked``
            of batch norm, which old checkpoints lack, may be missing.
        source (str): What to call the weights.
        name (str): What to call the network. Defaults to 'the model'.

    Raises:
        UserError: If they are of another network or of other classes.
    """
    model = unwrapped(model)
    fitting: OrderedDict = OrderedDict()
    for key, value in state.items():
        key = re.sub(r'^module\.', '', key)
        if hasattr(model, 'distiller') or not key.startswith('distiller.'):
            fitting[key] = value
    # Versions of modules, by which some of them rename their weights
    setattr(fitting, '_metadata', getattr(state, '_metadata', None))
    report = LoadReport(model)
    load_state_dict(model, fitting, strict=False, logger='silent')
    report.close()
    missing, unknown = report.missing, report.unknown
    if missing or unknown:
        example = f'it lacks "{missing[0]}"' if missing else \
            f'it has "{unknown[0]}", which {name} lacks'
        raise UserError(
            f'{source} is of another network: {len(missing)} weights of '
            f'{name} are missing and {len(unknown)} are unknown to it, '
            f'{example}.')
    if report.errors:
        raise UserError(f'{source} {describe_shapes(report, name)}')


def load_checkpoint(model: nn.Module,
                    path: str,
                    name: str = 'the model',
                    source: str = 'The checkpoint') -> dict:
    """Load a checkpoint, each weight of which has to fit.

    Args:
        model (nn.Module): The network.
        path (str): Path or URL of the checkpoint.
        name (str): What to call the network. Defaults to 'the model'.
        source (str): What to call the file. Defaults to 'The checkpoint'.

    Returns:
        dict: What is in the file.

    Raises:
        UserError: If it cannot be read or is of another network.
    """
    checkpoint = read_checkpoint(path, source)
    load_weights(model, checkpoint['state_dict'], f'{source} "{path}"', name)
    return checkpoint


class LoadReport:
    """What the next call of a module's ``load_state_dict`` leaves out.

    PyTorch's and mmengine's loading hand their lists of what does not fit to
    the module's hooks.

    Args:
        module (nn.Module): The module to watch until :meth:`close`.
    """

    def __init__(self, module: nn.Module) -> None:
        self.loaded = False
        self.prefix = ''
        self._missing: List[str] = []
        self._unknown: List[str] = []
        self._errors: List[str] = []
        self._handle = module._register_load_state_dict_pre_hook(self._watch)

    def _watch(self, state_dict: dict, prefix: str, metadata: dict,
               strict: bool, missing: List[str], unknown: List[str],
               errors: List[str]) -> None:
        if not self.loaded:  # the lists are filled later
            self.loaded, self.prefix = True, prefix
            self._missing, self._unknown, self._errors = (missing, unknown,
                                                          errors)

    def close(self) -> None:
        """Stop watching."""
        self._handle.remove()

    @property
    def missing(self) -> List[str]:
        """Weights that the file lacks."""
        return [
            key[len(self.prefix):] for key in self._missing
            if key.startswith(self.prefix) and 'num_batches_tracked' not in key
        ]

    @property
    def unknown(self) -> List[str]:
        """Weights that the module lacks.

        Old checkpoints of mmdet hold the means of the preprocessor, which
        configs hold now (open-mmlab/mmdetection#11521).
        """
        configured = f'{self.prefix}data_preprocessor.'
        return [
            key for key in self._unknown
            if key.startswith(self.prefix) and not key.startswith(configured)
        ]

    @property
    def errors(self) -> List[str]:
        """Weights of another shape, as PyTorch says it."""
        starts = (f'size mismatch for {self.prefix}',
                  f'While copying the parameter named "{self.prefix}')
        return [text for text in self._errors if text.startswith(starts)]


def describe_shapes(report: LoadReport, name: str) -> str:
    """Say in one line which weights differ in shape."""
    found = _SHAPES.findall('\n'.join(report.errors))
    shapes = [(weight, _sizes(theirs), _sizes(ours))
              for weight, theirs, ours in found]
    if not shapes:
        return f'does not fit {name}: {report.errors[0]}'
    # Classes are the first dimension of a classifier's weights, and nothing
    # else; another width changes the second dimension of some weights too.
    classes = all(theirs[1:] == ours[1:] for _, theirs, ours in shapes)
    weight, theirs, ours = shapes[-1]
    kind = 'other classes' if classes else 'another network'
    return (f'is of {kind}: {len(shapes)} weights differ in shape, "{weight}" '
            f'is {theirs} in the file and {ours} in {name}.')


def _sizes(text: str) -> Tuple[int, ...]:
    return tuple(int(size) for size in text.split(',') if size)


def load_teacher(teacher: nn.Module,
                 ckpt: str,
                 config: Optional[str] = None) -> None:
    """Load a teacher's checkpoint, which has to fit in every weight.

    Args:
        teacher (nn.Module): The network to load it into. As in the hosts'
            inference, its ``dataset_meta`` becomes that of the checkpoint.
        ckpt (str): Path or URL of the checkpoint.
        config (str, optional): Config that trains the teacher, for the error.
            Defaults to None.

    Raises:
        UserError: If there is no such file, it is no checkpoint, or it is of
            another network or of other classes.
    """
    try:
        checkpoint = load_checkpoint(teacher, ckpt, 'the teacher',
                                     'teacher_ckpt')
    except UserError as error:
        raise UserError(f'{error} Train it with: python tools/train.py '
                        f'{config or "ITS_CONFIG"}') from error
    meta: Any = checkpoint.get('meta') or {}
    teacher.dataset_meta = meta.get('dataset_meta')
