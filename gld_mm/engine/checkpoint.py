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

_STEP = re.compile(r'(epoch|iter)_(\d+)\.pth')
_SHAPES = re.compile(r'size mismatch for (\S+): .*?torch\.Size\(\[(.*?)\]\)'
                     r'.*?torch\.Size\(\[(.*?)\]\)')


def newest_checkpoint(work_dir: str) -> Optional[str]:
    """Find the newest whole checkpoint of a run.

    A run that is killed while it writes, or whose disk is full, leaves a file
    that is cut off.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        str, optional: What the run's ``last_checkpoint`` names, or a file of
        that name in this folder, which may have been copied. If it is cut off
        or gone, path of ``epoch_N.pth`` or ``iter_N.pth`` with the largest N
        before it. None if there is none.
    """
    last = find_latest_checkpoint(work_dir)
    if last:
        if '://' in last:
            return last
        for path in (Path(work_dir, Path(last).name), Path(last)):
            if is_whole(path):
                return str(path)
    named = _STEP.fullmatch(Path(last or '').name)
    found = []
    for path in Path(work_dir).glob('*.pth'):
        step = _STEP.fullmatch(path.name)
        # What is later is of an older run in the same folder.
        if step and (named is None
                     or step[1] == named[1] and int(step[2]) <= int(named[2])):
            found.append((int(step[2]), path))
    for _, path in sorted(found, reverse=True):
        if is_whole(path):
            return str(path)
        warnings.warn(f'{path} is cut off and skipped.')
    return None


def is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end, where zip has its index."""
    return zipfile.is_zipfile(path)


def check_exists(path: str, name: str) -> None:
    """Look for a checkpoint; a URL is taken to be there.

    Raises:
        UserError: If there is no such file.
    """
    if '://' not in path and not Path(path).expanduser().is_file():
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
        for key in checkpoint['state_dict']:
            key.split('.')
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
        key = key.removeprefix('module.')
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
        """Weights that the module lacks and may need to predict.

        An auxiliary head only trains, and configs for testing leave it out.
        Old checkpoints of mmdet hold the means of the preprocessor, which
        configs hold now (open-mmlab/mmdetection#11521).
        """
        needless = (f'{self.prefix}auxiliary_head.',
                    f'{self.prefix}data_preprocessor.')
        return [
            key for key in self._unknown
            if key.startswith(self.prefix) and not key.startswith(needless)
        ]

    @property
    def errors(self) -> List[str]:
        """Weights of another shape, as PyTorch says it."""
        starts = (f'size mismatch for {self.prefix}',
                  f'While copying the parameter named "{self.prefix}')
        return [text for text in self._errors if text.startswith(starts)]

    @property
    def misfits(self) -> List[Tuple[str, Tuple[int, ...], Tuple[int, ...]]]:
        """Name of each weight of another shape, its shape here and there."""
        found = _SHAPES.findall('\n'.join(self.errors))
        return [(weight[len(self.prefix):], _sizes(ours), _sizes(theirs))
                for weight, theirs, ours in found]


def describe_shapes(report: LoadReport, name: str) -> str:
    """Say in one line which weights differ in shape."""
    misfits = report.misfits
    if not misfits:
        return f'does not fit {name}: {report.errors[0]}'
    # Classes are the first dimension of a classifier's weights, and nothing
    # else; another width changes the second dimension of some weights too.
    classes = all(ours[1:] == theirs[1:] for _, ours, theirs in misfits)
    weight, ours, theirs = misfits[-1]
    kind = 'other classes' if classes else 'another network'
    return (
        f'is of {kind}: {len(misfits)} weights differ in shape, "{weight}" '
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
    teacher.dataset_meta = dataset_meta_of(checkpoint)


def dataset_meta_of(checkpoint: dict) -> Any:
    """What a checkpoint says of its dataset, such as ``classes``."""
    meta = checkpoint.get('meta') or {}
    # As older versions of the hosts wrote it
    known = meta.get('dataset_meta') or dict(CLASSES=meta.get('CLASSES'))
    return {key.lower(): value for key, value in known.items()}
