# Copyright (c) gld_mm authors. All rights reserved.
import argparse
from pathlib import Path

from matplotlib.figure import Figure


def figure_parser(description: str) -> argparse.ArgumentParser:
    """Arguments of every figure of networks and images.

    Args:
        description (str): Of the tool.

    Returns:
        ArgumentParser: With ``--network``, ``--index``, ``--image`` and
        ``--out``.
    """
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--network',
        nargs=3,
        action='append',
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
    parser.add_argument(
        '--out',
        type=Path,
        help='the picture; by default in work_dirs/figures, named after the '
        'figure, the config and the images')
    return parser


def figure_path(args: argparse.Namespace, figure: str) -> Path:
    """Where a figure goes; the folder is made.

    Args:
        args (Namespace): Arguments of :func:`figure_parser`.
        figure (str): Name of the figure.

    Returns:
        Path: ``--out``, or
        ``work_dirs/figures/<figure>_<config>_<images>.png``.
    """
    if args.out is not None:
        path = args.out
    else:
        images = [Path(image).stem
                  for image in args.image] if args.image else args.index
        name = '-'.join(map(str, images))
        if len(name) > 100:
            name = f'{name[:100]}-etc'
        config = Path(args.network[-1][1]).stem
        path = Path('work_dirs', 'figures', f'{figure}_{config}_{name}.png')
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def save_figure(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a figure and say where.

    Args:
        figure (Figure): What was drawn.
        path (Path): The picture, in a folder that is there.
        dpi (int): Pixels an inch. Defaults to 120.
    """
    figure.tight_layout()
    figure.savefig(path, dpi=dpi)
    print(f'wrote {path}')
