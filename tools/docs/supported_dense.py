# Copyright (c) gld_mm authors. All rights reserved.
"""Try GLD on each family of mmseg and mmdet and write a table.

Of each folder of configs the smallest network that ``--teacher`` accepts
teaches itself for one step, with random weights. Folders of which it accepts
none are listed with the reason.
"""
import argparse
import warnings
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence

import mmdet
import mmseg
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmrazor.registry import MODELS

import gld_mm  # noqa: F401
from gld_mm.config import distill
from gld_mm.errors import UserError

# Folders of mmdet that are no architectures of detectors: trackers, and
# recipes, backbones, data or losses for the detectors of other folders
NOT_DETECTORS = {
    'albu_example', 'bytetrack', 'cityscapes', 'common', 'deepfashion',
    'deepsort', 'legacy_1.x', 'lvis', 'masktrack_rcnn', 'misc', 'objects365',
    'ocsort', 'openimages', 'pascal_voc', 'qdtrack', 'recognition', 'reid',
    'selfsup_pretrain', 'simple_copy_paste', 'soft_teacher', 'sort',
    'strong_baselines', 'strongsort', 'timm_example', 'v3det', 'wider_face'
}
# Names of small networks come first.
SIZES = ('_r18', '-r18', 'tiny', '-t', '_t_', '-s', '_s_', 'mit-b0', '_r50',
         '-r50')


class Row(NamedTuple):
    """What was found of a network."""
    family: str
    kind: str
    distiller: str
    note: str = ''

    def __str__(self) -> str:
        """As a row of the table."""
        return ' | '.join([
            '', self.family, f'`{self.kind}`',
            f'✓ | `{self.distiller}`' if self.distiller else '✗ | ', self.note,
            ''
        ]).strip()


def configs_of(package: Any) -> Path:
    """The folder of a host's configs."""
    return Path(package.__path__[0], '.mim', 'configs')


def families_of(package: Any) -> List[str]:
    """The folders of architectures."""
    return sorted(
        path.name for path in configs_of(package).iterdir()
        if path.name != '_base_' and path.name not in NOT_DETECTORS)


def kind_of(network: ConfigDict) -> str:
    """Name the classes that a network is made of."""
    kinds = []
    for part in ('backbone', 'image_encoder', 'decode_head', 'bbox_head',
                 'roi_head'):
        heads = network.get(part) or []
        for head in heads if isinstance(heads, list) else [heads]:
            kinds.append(head['type'])
    return ' → '.join([network['type'], *kinds])


def try_family(package: Any, family: str) -> Optional[Row]:
    """Teach the smallest network of a folder by itself.

    Args:
        package (module): mmseg or mmdet.
        family (str): Name of the folder.

    Returns:
        Row, optional: What was found; None if the folder has no network.
    """
    row = None
    paths = (configs_of(package) / family).rglob('*.py')
    for path in sorted(paths, key=_size):
        try:
            kind = kind_of(Config.fromfile(path).model)
        except Exception:  # a part of configs, or of packages not installed
            continue
        try:
            part = path.relative_to(configs_of(package))
            name = f'{package.__name__}::{part}'
            cfg = distill(name, name, 'random weights')
        except (UserError, RuntimeError) as error:  # mmdet's: not installed
            row = row or Row(family, kind, '', str(error))
            continue
        note = _try_sizes(cfg)
        distiller = cfg.model.distiller.type.split('.')[-1]
        return Row(family, kind, '' if note else distiller, note)
    return row


def _size(path: Path) -> tuple:
    names = [i for i, size in enumerate(SIZES) if size in path.name.lower()]
    return min(names, default=len(SIZES)), len(path.name), path


def _try_sizes(cfg: Config) -> str:
    """Run a step on images as small as the network takes."""
    prepare(cfg.model)
    size = cfg.get('crop_size', (512, 512))
    note = ''
    for pixels in ((64, 64), (128, 128), size):
        try:
            take_step(cfg, pixels)
            return ''
        except Exception as error:
            note = f'{type(error).__name__}: {error}'.splitlines()[0][:200]
    return note


def prepare(node: Any) -> None:
    """Leave out what is downloaded and what needs a GPU, in place."""
    if isinstance(node, dict):
        if node.get('type') == 'SyncBN':
            node['type'] = 'BN'
        for key in ('init_cfg', 'pretrained', 'teacher_ckpt'):
            if key in node:
                node[key] = None
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, (dict, list)):
            prepare(value)


def take_step(cfg: Config, size: Sequence[int]) -> None:
    """Run forward and backward on two images.

    Args:
        cfg (Config): A distillation config.
        size (Sequence[int]): Height and width of the images.
    """
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model).train()
    model.init_weights()  # prepares the teacher, as a run does
    normal = cfg.model.architecture.get('data_preprocessor') or {}
    images = torch.randn(2, len(normal.get('mean') or 'RGB'), *size)
    samples = [sample_of(cfg, size) for _ in images]
    losses = model(images, samples, mode='loss')
    terms = {k: v for k, v in losses.items() if k.startswith('distill.')}
    assert len(terms) == 3 and all(v.isfinite() for v in terms.values()), terms
    total, _ = model.parse_losses(losses)
    total.backward()


def sample_of(cfg: Config, size: Sequence[int]) -> Any:
    """Annotations of one image: two halves, or a box."""
    height, width = size
    meta = dict(
        img_shape=(height, width),
        ori_shape=(height, width),
        pad_shape=(height, width),
        batch_input_shape=(height, width),
        scale_factor=(1., 1.))
    if cfg.default_scope == 'mmseg':
        from mmseg.structures import SegDataSample
        labels = torch.zeros(1, height, width, dtype=torch.long)
        labels[:, height // 2:] = 1
        edges = torch.zeros_like(labels)
        edges[:, height // 2] = 1
        return SegDataSample(
            metainfo=meta,
            gt_sem_seg=PixelData(data=labels),
            gt_edge_map=PixelData(data=edges))
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks
    instances = InstanceData(
        bboxes=torch.tensor([[width / 4, height / 4, width / 2, height / 2]]),
        labels=torch.zeros(1, dtype=torch.long))
    if 'mask_head' in cfg.model.architecture:
        mask = torch.zeros(1, height, width, dtype=torch.uint8)
        mask[:, height // 4:height // 2, width // 4:width // 2] = 1
        instances.masks = BitmapMasks(mask.numpy(), height, width)
    return DetDataSample(metainfo=meta, gt_instances=instances)


def try_package(package: Any, families: Sequence[str]) -> Iterator[Row]:
    """Try the families of a host, and print what was found.

    Args:
        package (module): mmseg or mmdet.
        families (Sequence[str]): Names of the folders; all if empty.

    Yields:
        Row: What was found.
    """
    for family in families_of(package):
        row = family in (families or [family]) and try_family(package, family)
        if row:
            print(row, flush=True)
            yield row


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('families', nargs='*', help='default: all')
    parser.add_argument(
        '--out', help='default: docs/supported_dense.md, if of all')
    args = parser.parse_args(argv)
    parts = [
        '# Supported segmentation networks and detectors\n\nWritten by '
        '`tools/docs/supported_dense.py`. For each config folder it takes the '
        'smallest network that `--teacher` accepts, uses it as teacher and '
        'student, and trains one step on two random images. ✗: refused, or '
        'the step failed, for the reason in the last column. Folders of '
        'mmdet without a detector of their own, such as trackers and '
        'datasets, are left out.\n'
    ]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for package in (mmseg, mmdet):
            rows = list(try_package(package, args.families))
            refused = [row for row in rows if row.note.startswith('GLD takes')]
            works = sum(bool(row.distiller) for row in rows)
            parts.append(f'## {package.__name__} {package.__version__}\n\n'
                         f'{works} of {len(rows)} families. '
                         f'{len(refused)} are refused with a one-line error.'
                         '\n\n'
                         '| family | network | | distiller | |\n'
                         '|---|---|---|---|---|\n' + '\n'.join(
                             str(row) for row in rows if row not in refused) +
                         '\n\nRefused: ' + ', '.join(
                             f'{row.family} (`{row.kind.split(" → ")[-1]}`)'
                             for row in refused) + '.\n')
    out = args.out or ('' if args.families else 'docs/supported_dense.md')
    if out:
        Path(out).write_text('\n'.join(parts))


if __name__ == '__main__':
    main()
