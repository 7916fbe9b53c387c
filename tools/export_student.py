# Copyright (c) gld_mm authors. All rights reserved.
"""Export a trained student: to its host library, to ONNX or for torch.export.

    python tools/export_student.py configs/gld/ssd300_r34_r18_voc.py \
        work_dirs/ssd300_r34_r18_voc/epoch_250.pth student.pth
    python tools/export_student.py CONFIG CHECKPOINT student.onnx --size 32 32
    python tools/export_student.py CONFIG CHECKPOINT student.pt2 --size 32 32

student.pth holds the weights and the names of the classes, no optimizer and
no teacher; student.py beside it is the config to test it with, for mmpretrain,
mmdet or mmsegmentation without gld_mm, unless the network or the test set is
of gld_mm's classes. student.onnx and student.pt2 (an ExportedProgram) hold the
network alone, on preprocessed images (B, 3, H, W) of any batch size: logits,
or a detector's or segmentation head's maps of scores and boxes before
decoding. Both are loaded again and compared with the student before they are
kept.
"""
import argparse
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple

import torch
from mmengine.config import Config
from mmengine.registry import (DATASETS, METRICS, MODELS, TRANSFORMS,
                               init_default_scope)
from mmengine.utils import digit_version
from torch import Tensor, nn

import gld_mm  # noqa: F401
from gld_mm.config import read_config, student_of
from gld_mm.config.read import imported_modules
from gld_mm.engine.checkpoint import load_checkpoint
from gld_mm.errors import UserError

# What a host needs for inference and test
CONFIG_KEYS = ('default_scope', 'env_cfg', 'model', 'data_preprocessor',
               'test_pipeline', 'test_dataloader', 'test_evaluator',
               'test_cfg', 'tta_model', 'tta_pipeline', 'visualizer',
               'vis_backends', 'log_level')
META_KEYS = ('dataset_meta', 'epoch', 'iter', 'experiment_name', 'seed')

# The oldest torch whose exporters were seen to work
TORCH = {'.onnx': '2.7', '.pt2': '2.6'}
# Images to compare with; the first also to export with, where torch.export
# would take a single image for a fixed size.
BATCHES = (2, 1, 3)
TOLERANCE = 1e-4  # of the largest output


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='that the student was trained with')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument(
        'out', type=Path, help='the new file, *.pth, *.onnx or *.pt2')
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('H', 'W'),
        help='of the images, in pixels; for *.onnx and *.pt2')
    return parser.parse_args(argv)


def export(config: str,
           checkpoint: str,
           out: Path,
           size: Optional[Tuple[int, int]] = None) -> str:
    """Write the student in the format that the name of the file says.

    Args:
        config (str): Path of the config of the training.
        checkpoint (str): Path or URL of its checkpoint.
        out (Path): The new file.
        size (tuple[int, int], optional): Rows and columns of the images.
            Defaults to None, which a plain checkpoint does without.

    Returns:
        str: What was written.

    Raises:
        UserError: If a file is missing, the weights are of another network or
            what was exported computes something else. An older ``out`` is then
            left as it is.
    """
    writers = {'.pth': None, '.onnx': to_onnx, '.pt2': to_program}
    if out.suffix not in writers:
        raise UserError(f'{out} should end with .pth, .onnx or .pt2.')
    writer = writers[out.suffix]
    if writer and (size is None or min(size) < 1):
        raise UserError(f'{out} needs --size H W, the size of the images.')
    if out.resolve() == Path(checkpoint).resolve():
        raise UserError(f'{out} would overwrite the checkpoint, which a '
                        'resumed training needs: choose another name.')
    plain = out.with_suffix('.py')
    if not writer and plain.resolve() == Path(config).resolve():
        raise UserError(f'{plain}, the config to test {out} with, would '
                        f'overwrite {config}: choose another name.')
    cfg = student_of(read_config(config))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    weights = load_checkpoint(model, checkpoint, f'the student of {config}')
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f'{out.stem}.unfinished{out.suffix}')
    try:
        if writer and size:
            network = Network(model).eval()
            difference = compare(network, writer(network, temporary, size),
                                 size)
            written = f'{out}: outputs agree to {difference:.1e}'
        else:
            to_checkpoint(
                weights.get('meta', {}), model.state_dict(), temporary)
            plain_config(cfg).dump(plain)
            written = f'{out} and {plain}'
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return written


class Network(nn.Module):
    """The student's own forward, as a flat tuple of tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tuple[Tensor, ...]:
        """Images ``(B, 3, H, W)`` to whatever the network outputs."""
        return tuple(_flatten(self.model(images, mode='tensor')))


def _flatten(outputs) -> List[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    return [tensor for part in outputs for tensor in _flatten(part)]


def to_checkpoint(meta: dict, state: dict, path: Path) -> None:
    """Write weights and what a host library reads beside them."""
    meta = {key: meta[key] for key in META_KEYS if key in meta}
    torch.save(dict(meta=meta, state_dict=state), path)


def to_program(network: nn.Module, path: Path, size: Tuple[int,
                                                           int]) -> Callable:
    """Write an ExportedProgram; return it, loaded again."""
    check_torch('.pt2')
    program = torch.export.export(
        network, (torch.randn(BATCHES[0], 3, *size), ),
        dynamic_shapes=dict(images={0: torch.export.Dim('batch')}),
        strict=False)
    torch.export.save(program, path)
    return torch.export.load(path).module()


def to_onnx(network: nn.Module, path: Path, size: Tuple[int, int]) -> Callable:
    """Write an ONNX file; return it as a function, in onnxruntime."""
    check_torch('.onnx')
    try:
        import onnxruntime
        import onnxscript  # noqa: F401, which torch.onnx needs
    except ImportError as error:
        raise UserError(f'{error}: pip install onnx onnxruntime '
                        'onnxscript') from error
    torch.onnx.export(
        network, (torch.randn(BATCHES[0], 3, *size), ),
        path,
        dynamo=True,
        external_data=False,
        verbose=False,
        input_names=['images'],
        dynamic_shapes=dict(images={0: torch.export.Dim('batch')}))
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])

    def run(images: Tensor) -> List[Tensor]:
        outputs = session.run(None, dict(images=images.numpy()))
        return [torch.from_numpy(output) for output in outputs]

    return run


def check_torch(suffix: str) -> None:
    """Refuse a format that the installed torch does not write."""
    if digit_version(torch.__version__) < digit_version(TORCH[suffix]):
        raise UserError(
            f'*{suffix} needs torch >= {TORCH[suffix]}, this is '
            f'{torch.__version__}: export a plain checkpoint (*.pth) here, '
            'and that again where torch is newer.')


@torch.no_grad()
def compare(network: nn.Module, exported: Callable, size: Tuple[int,
                                                                int]) -> float:
    """Compare outputs on random images, in batches of several sizes.

    Args:
        network (nn.Module): The student.
        exported (Callable): What was made of it.
        size (tuple[int, int]): Rows and columns of the images.

    Returns:
        float: The greatest difference, as a share of the largest output.

    Raises:
        UserError: If they differ by more than rounding, or are not finite.
    """
    greatest = 0.
    for batch in BATCHES:
        images = torch.randn(batch, 3, *size)
        ours, theirs = network(images), exported(images)
        if [x.shape for x in ours] != [x.shape for x in theirs]:
            raise UserError('What was exported has outputs of other shapes '
                            'than the student: nothing is kept.')
        for mine, its in zip(ours, theirs):
            largest = mine.abs().max().clamp(min=1e-12)  # zeros are equal
            difference = ((mine - its).abs().max() / largest).item()
            # One by one: NaN is not within a bound, but max() may drop it.
            if not difference <= TOLERANCE:
                raise UserError(
                    'What was exported differs from the student by '
                    f'{difference:.1e} of its output: nothing is kept.')
            greatest = max(greatest, difference)
    return greatest


def plain_config(cfg: Config) -> Config:
    """What a host library needs to test the student."""
    plain = {key: cfg[key] for key in CONFIG_KEYS if key in cfg}
    drawing = cfg.get('default_hooks', {}).get('visualization')
    if drawing:
        plain['default_hooks'] = dict(visualization=drawing)
    modules = imported_modules(cfg)
    if not needs_gld_mm(plain):
        modules = [x for x in modules if x.split('.')[0] != 'gld_mm']
    if modules:
        plain['custom_imports'] = dict(cfg.custom_imports, imports=modules)
    # The weights come from the checkpoint alone.
    plain['model'].get('backbone', {}).pop('init_cfg', None)
    return Config(plain)


def needs_gld_mm(value: Any) -> bool:
    """Whether a part of a config names a class of this package."""
    if isinstance(value, (list, tuple)):
        return any(map(needs_gld_mm, value))
    if not isinstance(value, dict):
        return False
    for root in (MODELS, DATASETS, TRANSFORMS, METRICS):
        with root.switch_scope_and_registry(None) as registry:  # the host's
            found = registry.get(str(value.get('type')))
        if getattr(found, '__module__', '').startswith('gld_mm.'):
            return True
    return any(map(needs_gld_mm, value.values()))


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse_args(argv)
    print(export(args.config, args.checkpoint, args.out, args.size))


if __name__ == '__main__':
    main()
