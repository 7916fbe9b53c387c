# Copyright (c) gld_mm authors. All rights reserved.
"""Write the tables of README.md, configs, model_zoo and docs/configs.md.

The metafiles of model-index.yml are their source. A comment in the page says
which table stands below it, up to ``<!-- end -->``, and which configs are in
it, by patterns:

    <!-- table: configs/gld/*_cifar100.py configs/gld/*_in1k.py -->
    <!-- results: configs/gld/*_cifar100.py -->
    <!-- runs: model_zoo/* -->
"""
import argparse
import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Dict, List

import yaml

from reproduction import mean_and_std, read_curves

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / 'README.md', ROOT / 'docs' / 'configs.md',
    ROOT / 'model_zoo' / 'README.md',
    *sorted(ROOT.glob('configs/*/README.md'))
]
TABLE = re.compile(
    r'(<!-- (table|results|runs): (.*?) -->\n).*?(<!-- end -->)', re.S)


def read_models() -> Dict[str, dict]:
    """Read the metafiles that model-index.yml imports.

    Returns:
        dict[str, dict]: The entries by the path of their config, in order.
    """
    models = {}
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    for path in index['Import']:
        for model in yaml.safe_load((ROOT / path).read_text())['Models']:
            models[model['Config']] = model
    return models


class Tables:
    """The tables of one page.

    Args:
        models (dict[str, dict]): Entries of the metafiles by config.
        page (Path): The page, from which links start.
    """

    def __init__(self, models: Dict[str, dict], page: Path) -> None:
        self.models = models
        self.page = page

    def update(self, text: str) -> str:
        """Replace the tables in the text of the page."""
        return TABLE.sub(
            lambda found: found[1] + getattr(self, found[2])
            (self.select(found[3])) + found[4], text)

    def select(self, patterns: str) -> List[dict]:
        """The entries whose config matches one of the patterns."""
        return [
            model for config, model in self.models.items() if any(
                fnmatch(config, pattern) for pattern in patterns.split())
        ]

    def table(self, models: List[dict]) -> str:
        """Network, recipe and status of each config."""
        rows = [[
            'config', 'network', 'data', 'epochs, batch, learning rate',
            'paper', 'status'
        ]]
        for model in models:
            data = model['Metadata']
            rows.append([
                self.link(model['Config'].removeprefix('configs/'),
                          ROOT / model['Config']),
                self.network(model), data['Training Data'],
                f'{data["Epochs"]}, {data["Batch Size"]}, '
                f'{data["Learning Rate"]}',
                model.get('In Paper', '-'), model['Status']
            ])
        return _markdown(rows)

    def results(self, models: List[dict]) -> str:
        """Published accuracy of teacher, student alone, by KD and by GLD."""
        rows = [[
            'data', 'network', 'metric', 'teacher', 'alone', 'KD', 'GLD',
            'ours'
        ]]
        for gld in models:
            data = gld['Metadata']
            metric, = gld['Published']
            kd = gld['Config'].replace('/gld/', '/kd/kd_')
            roles = dict(
                teacher=self.models[data['Teacher Config']],
                alone=self.models[data['Student Config']],
                KD=self.models[kd] if '/kd/' in kd else {},
                GLD=gld)
            published = [
                str(model.get('Published', {}).get(metric, '-'))
                for model in roles.values()
            ]
            rows.append([
                data['Training Data'],
                self.network(gld), metric, *published,
                self.ours(roles)
            ])
        return _markdown(rows)

    def ours(self, roles: Dict[str, dict]) -> str:
        """Accuracy of our runs of each role, as long as the longest of GLD."""
        runs = {
            role: [
                run for config, run in self.models.items()
                if config.startswith('model_zoo/')
                and run['Metadata']['Recipe'] == model.get('Config')
            ]
            for role, model in roles.items()
        }
        if not runs['GLD']:
            return 'not run yet'
        epochs = max(run['Metadata']['Epochs'] for run in runs['GLD'])
        as_long = {
            role:
            [run for run in found if run['Metadata']['Epochs'] == epochs]
            for role, found in runs.items()
        }
        accuracies = ', '.join(
            f'{role} {mean_and_std([top1(run)[-1] for run in found])}' +
            (f' (n = {len(found)})' if len(found) > 1 else '')
            for role, found in as_long.items() if found)
        zoo = self.link('weights and logs', ROOT / 'model_zoo' / 'README.md')
        return (f'{accuracies} after {epochs} of '
                f'{roles["GLD"]["Metadata"]["Epochs"]} epochs ({zoo})')

    def runs(self, models: List[dict]) -> str:
        """Accuracy and files of each run of the model zoo."""
        rows = [[
            'recipe', 'epochs', 'seed', 'top-1, last epoch', 'best epoch',
            'files'
        ]]
        for run in models:
            data = run['Metadata']
            recipe = self.models[data['Recipe']]
            curve = top1(run)
            files = dict(
                config=run['Config'],
                log=run['Training Log'],
                weights=run['Weights'])
            rows.append([
                self.link(data['Recipe'].removeprefix('configs/'),
                          ROOT / data['Recipe']),
                f'{data["Epochs"]} of {recipe["Metadata"]["Epochs"]}',
                str(data['Seed']), f'{curve[-1]:.2f}', f'{max(curve):.2f}',
                ', '.join(
                    self.link(name, ROOT / path)
                    for name, path in files.items())
            ])
        return _markdown(rows)

    def network(self, model: dict) -> str:
        """A network with its millions of parameters, and its teacher's."""
        data = model['Metadata']
        name = data.get('Architecture') or data['Student']
        text = f'{name}, {data["Parameters"] / 1e6:.2f}M'
        if 'Teacher' in data:
            teacher = self.network(self.models[data['Teacher Config']])
            return f'{teacher} → {text}'
        return text

    def link(self, text: str, target: Path) -> str:
        """A link from the page."""
        return f'[{text}]({os.path.relpath(target, self.page.parent)})'


def top1(run: dict) -> List[float]:
    """Accuracy after each epoch, of the log of a run."""
    curve = read_curves(ROOT / run['Training Log'])['accuracy/top1']
    return [curve[epoch] for epoch in sorted(curve)]


def _markdown(rows: List[List[str]]) -> str:
    head, *body = ['| ' + ' | '.join(row) + ' |\n' for row in rows]
    return head + '|---' * len(rows[0]) + '|\n' + ''.join(body)


def render(page: Path) -> str:
    """Bring the tables of a page up to date.

    Args:
        page (Path): The page.

    Returns:
        str: Its text with the tables that the metafiles give.
    """
    return Tables(read_models(), page).update(page.read_text())


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for page in PAGES:
        page.write_text(render(page))


if __name__ == '__main__':
    main()
