# Copyright (c) gld_mm authors. All rights reserved.
import argparse
from pathlib import Path
from typing import Optional

import matplotlib
from matplotlib.figure import Figure
from mmengine.registry import MODELS

from gld_mm.config import read_config
from gld_mm.errors import UserError
from gld_mm.models.distillers import BaseGLDDistiller

matplotlib.use('Agg')


class NamedAction(argparse.Action):
    """Append values, the first of which is a name of its own."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """Append them to those of the option before."""
        before = getattr(namespace, self.dest) or []
        if values[0] in [name for name, *_ in before]:
            parser.error(f'{option_string} {values[0]} is given twice: '
                         'each needs a name of its own.')
        setattr(namespace, self.dest, [*before, values])


def figure_parser(description: str) -> argparse.ArgumentParser:
    """Arguments of every figure.

    Args:
        description (str): Of the tool.

    Returns:
        ArgumentParser: With ``--out``.
    """
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--out',
        type=Path,
        help='the picture; by default in work_dirs/figures, named after the '
        'figure and, where it has them, the config and the images')
    return parser


def network_parser(description: str) -> argparse.ArgumentParser:
    """Arguments of every figure of networks and images.

    Args:
        description (str): Of the tool.

    Returns:
        ArgumentParser: That of :func:`figure_parser` with ``--network``,
        ``--index`` and ``--image``.
    """
    parser = figure_parser(description)
    parser.add_argument(
        '--network',
        nargs=3,
        action=NamedAction,
        required=True,
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='a network to show, of a distillation the student; repeat for '
        'more')
    images = parser.add_mutually_exclusive_group()
    images.add_argument(
        '--index',
        nargs='+',
        type=int,
        default=[0],
        help="images of the first network's test set")
    images.add_argument(
        '--image',
        nargs='+',
        help="image files instead, which go through the test set's pipeline "
        '(CIFAR-100 has none that resizes: give images of 32x32)')
    return parser


def pair_parser(description: str) -> argparse.ArgumentParser:
    """Arguments of every figure of what GLD compares in networks.

    Args:
        description (str): Of the tool.

    Returns:
        ArgumentParser: That of :func:`network_parser` with ``--distiller``.
    """
    parser = network_parser(description)
    parser.add_argument(
        '--distiller',
        metavar='CONFIG',
        help='the GLD config that says what is compared in teacher and '
        'student; by default the first one among the networks')
    return parser


def distillation_config(args: argparse.Namespace) -> Optional[str]:
    """The GLD config that says what is compared in teacher and student.

    Args:
        args (Namespace): Arguments of :func:`pair_parser`.

    Returns:
        str, optional: ``--distiller``, or the first config among the networks
        that distils with GLD; None if there is none.

    Raises:
        UserError: If ``--distiller`` does not distil with GLD.
    """
    if args.distiller:
        if not _has_gld(args.distiller):
            raise UserError(f'--distiller {args.distiller} does not distil '
                            'with GLD: give a config such as those in '
                            'configs/gld/.')
        return args.distiller
    configs = [config for _, config, _ in args.network]
    return next(filter(_has_gld, configs), None)


def required_distillation_config(args: argparse.Namespace) -> str:
    """The GLD config of figures that nothing can be drawn without.

    Args:
        args (Namespace): Arguments of :func:`pair_parser`.

    Returns:
        str: That of :func:`distillation_config`.

    Raises:
        UserError: If there is none.
    """
    config = distillation_config(args)
    if config is None:
        raise UserError('None of the networks was distilled with GLD: name '
                        'the GLD config of the pair by --distiller.')
    return config


def _has_gld(config: str) -> bool:
    distiller = read_config(config).model.get('distiller')
    kind = distiller and distiller.type
    if isinstance(kind, str):
        kind = MODELS.get(kind)
    return kind is not None and issubclass(kind, BaseGLDDistiller)


def figure_path(args: argparse.Namespace, figure: str) -> Path:
    """Where a figure goes.

    Args:
        args (Namespace): Arguments of :func:`figure_parser` or
            :func:`network_parser`.
        figure (str): Name of the figure.

    Returns:
        Path: ``--out``, or
        ``work_dirs/figures/<figure>_<config>_<images>.png``.
    """
    if args.out is not None:
        return args.out
    if 'network' in args:
        images = [Path(image).stem
                  for image in args.image] if args.image else args.index
        name = '-'.join(map(str, images))
        if len(name) > 100:
            name = f'{name[:100]}-etc'
        figure = f'{figure}_{Path(args.network[-1][1]).stem}_{name}'
    return Path('work_dirs', 'figures', f'{figure}.png')


def save_figure(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a figure and say where.

    Args:
        figure (Figure): What was drawn.
        path (Path): The picture; its folder is made.
        dpi (int): Pixels per inch. Defaults to 120.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=dpi)
    print(f'wrote {path}')
