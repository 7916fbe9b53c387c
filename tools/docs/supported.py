# Copyright (c) gld_mm authors. All rights reserved.
"""Try GLD on each family of classifiers of mmpretrain and write a table.

Of each folder of configs, one config of each kind of network is built with
random weights, transformers with two layers. It is compared with itself (the
logits of images against what the network outputs) and taught for one step by
a small ResNet.
"""
import argparse
import warnings
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

import mmpretrain
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

import gld_mm  # noqa: F401

CONFIGS = Path(mmpretrain.__path__[0], '.mim', 'configs')
FAMILIES = sorted(path.name for path in CONFIGS.iterdir()
                  if path.name != '_base_')
# Names of small networks come first.
SIZES = ('atto', 'femto', 'pico', 'nano', 'b0', '050', 'xxs', 'x-400', '-x0.5',
         '-s0', '128s', 'tiny', 'xs', 'small', 'r18', '18_', '-s12', '-s1',
         '-a0', '-w18', '11_', '-s', '-t')
LAYERS = dict(
    embed_dims=64, num_layers=2, num_heads=4, feedforward_channels=128)
ARCHS = dict(
    dict.fromkeys(('BEiTViT', 'DeiT3', 'DistilledVisionTransformer',
                   'MoCoV3ViT', 'ViTEVA02', 'VisionTransformer'), LAYERS),
    MlpMixer=dict(
        embed_dims=64, num_layers=2, tokens_mlp_dims=32, channels_mlp_dims=64))


class Row(NamedTuple):
    """What was found of a network."""
    families: List[str]
    kind: str
    config: str
    map_name: str = ''
    local: bool = False
    difference: float = float('nan')
    note: str = ''
    taught: bool = False

    def __str__(self) -> str:
        """As a row of the table."""
        return ' | '.join([
            '', ', '.join(self.families), f'`{self.kind}`',
            f'`{self.map_name}`' if self.local else '-', '✓' if self.local else
            'no local logits' if self.difference == self.difference else '✗',
            '✓' if self.taught else '✗', self.note, ''
        ]).strip()


def networks_of(family: str) -> Iterator[tuple]:
    """Find the classifiers of one label in a folder of configs.

    Args:
        family (str): Name of the folder.

    Yields:
        tuple[str, ConfigDict, int]: Path, network and size of its images.
    """
    for path in sorted((CONFIGS / family).rglob('*.py'), key=_size):
        try:
            cfg = Config.fromfile(path)
        except Exception:  # a part of configs, or of packages not installed
            continue
        network = cfg.get('model') or ConfigDict()
        head = str((network.get('head') or {}).get('type'))
        if {'deploy', 'lora'}.isdisjoint(_words(path)) and network.get(
                'type') == 'ImageClassifier' and head.endswith(
                    'Head') and not head.startswith(('MultiLabel', 'CSRA')):
            sizes = [
                step.get('crop_size') or step.get('scale')
                for step in cfg.get('test_pipeline') or []
            ]
            size = network.backbone.get('img_size') or next(
                filter(None, reversed(sizes)),
                32 if network.backbone.type == 'LeNet5' else 224)
            yield (str(path.relative_to(CONFIGS)), network,
                   size if isinstance(size, int) else size[0])


def _words(path: Path) -> set:
    return {*path.parts, *path.stem.replace('_', '-').split('-')}


def _size(path: Path) -> tuple:
    names = [i for i, size in enumerate(SIZES) if size in path.name.lower()]
    return min(names, default=len(SIZES)), len(path.name), path


def kind_of(network: ConfigDict) -> str:
    """Name the classes that a network is made of."""

    def types(part: Optional[dict]) -> list:
        parts = part if isinstance(part, list) else [part or {}]
        return [x['type'] for x in parts if x]

    return ' → '.join(
        x for part in ('backbone', 'neck', 'head')
        for x in types(network.get(part)))


def prepare(network: ConfigDict) -> ConfigDict:
    """Shrink transformers, and leave out what is downloaded."""
    network = network.copy()
    backbone = network.backbone
    if backbone.type in ARCHS and isinstance(backbone.get('arch'), str):
        backbone.arch = ARCHS[backbone.type]
        backbone.pop('frozen_stages', None)
        network.head.in_channels = 64
        neck = network.get('neck')
        if neck and neck.type == 'ClsBatchNormNeck':
            neck.input_features = 64
    network._scope_ = 'mmpretrain'
    network.train_cfg = network.pretrained = None
    for part in (network, backbone, network.head):
        part.pop('init_cfg', None)
    return network


def try_network(network: ConfigDict, size: int) -> dict:
    """Compare a network with itself and teach it.

    Args:
        network (ConfigDict): See :func:`prepare`.
        size (int): Height and width of its images.

    Returns:
        dict: Fields of a :class:`Row`.
    """
    student = MODELS.build(network).eval()
    channels = 1 if network.get('backbone', {}).get('type') == 'LeNet5' else 3
    images = torch.randn(2, channels, size, size)
    with torch.no_grad():
        expected = student(images, mode='tensor')
    if not isinstance(expected, torch.Tensor):
        expected = sum(expected)
    model = MODELS.build(
        dict(
            type='mmrazor.FrozenTeacherDistill',
            architecture=student,
            teacher=dict(
                type='mmpretrain.ImageClassifier',
                backbone=dict(
                    type='CifarResNet',
                    depth=8,
                    base_channels=4,
                    in_channels=channels),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(
                    type='LinearClsHead',
                    num_classes=expected.shape[1],
                    in_channels=16)),
            distiller=dict(type='mmrazor.GLDDistiller')))
    recorders = model.distiller.student_recorders
    with torch.no_grad(), recorders:
        student(images, mode='tensor')
    logits = model.distiller.logits(from_student=True)
    found = dict(
        map_name=recorders.get_recorder('logits').cells.map_name or '',
        local=logits.shape[1] > 1,
        difference=((logits[:, 0] - expected).abs().max() /
                    expected.abs().max().clamp(min=1e-12)).item())
    try:
        model.train()
        losses = model.loss(images,
                            [DataSample().set_gt_label(i) for i in range(2)])
        sum(v for k, v in losses.items() if 'loss' in k).backward()
    except NotImplementedError as error:  # mmpretrain's
        return dict(found, note=f'mmpretrain: "{error}"')
    return dict(found, taught=True)


def try_families(families: List[str]) -> Iterator[Row]:
    """Try the networks of folders, each kind once.

    Args:
        families (list[str]): Names of the folders.

    Yields:
        Row: What was found, of networks of a kind of before too.
    """
    known: Dict[str, Row] = {}
    for family in families:
        kinds: Dict[str, tuple] = {}
        for config, network, size in networks_of(family):
            kinds.setdefault(
                f'{kind_of(network)} {network.backbone.get("out_type", "")}',
                (config, network, size))
        for kind, (config, network, size) in kinds.items():
            if kind not in known:
                row = Row([], kind_of(network), config)
                for pixels in sorted({min(96, size), size}):
                    try:
                        found = try_network(prepare(network), pixels)
                        row = row._replace(note='')._replace(**found)
                        break
                    except Exception as error:
                        row = row._replace(
                            note=f'{type(error).__name__}: {error}')
                known[kind] = row._replace(note=row.note[:160])
            yield known[kind]._replace(families=[family])


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('families', nargs='*', help='default: all')
    parser.add_argument('--out', help='default: docs/supported.md, if of all')
    args = parser.parse_args(argv)
    init_default_scope('mmpretrain')
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for row in try_families(args.families or FAMILIES):
            print(row, f'{row.difference:.1e}', row.config, flush=True)
            rows.append(row)
    tried = {row.families[0] for row in rows}
    works = {row.families[0] for row in rows if row.local}
    out = args.out or ('' if args.families else 'docs/supported.md')
    if not out:
        return
    Path(out).write_text(
        '# Supported classifiers\n\n'
        f'Written by `tools/docs/supported.py` with mmpretrain '
        f'{mmpretrain.__version__}, of whose {len(FAMILIES)} config folders '
        f'{len(tried)} have classifiers of one label. Without names of '
        'modules, `GLDDistiller()` finds global and local logits in '
        f'{len(works)} of these (teacher ✓). Student ✓: the network also took '
        'a training step, taught by a small ResNet. Networks have random '
        'weights, transformers two layers.\n\n'
        '| family | network | map found | teacher | student | |\n'
        '|---|---|---|---|---|---|\n' + '\n'.join(map(str, rows)) + '\n')


if __name__ == '__main__':
    main()
