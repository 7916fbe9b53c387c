# Copyright (c) gld_mm authors. All rights reserved.
"""The documentation site, built by `make docs`.

The source folder is the repository rather than docs/, so relative links to
README.md, to configs and to modules work both on GitHub and on the site, where
a file that is not a page is a download.
"""
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import gld_mm

project = 'gld_mm'
copyright = 'gld_mm authors'
version = release = gld_mm.__version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
root_doc = 'docs/index'
include_patterns = [
    '*.md', 'docs/*.md', 'docs/api.rst', 'configs/*/README.md',
    'model_zoo/README.md'
]
exclude_patterns = ['.*', 'data', 'work_dirs', 'docs/_build']

myst_enable_extensions = ['dollarmath']
myst_heading_anchors = 3

autodoc_default_options = {'members': True, 'show-inheritance': True}
autodoc_inherit_docstrings = False
autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # the docstrings have them
add_module_names = False

html_theme = 'furo'
html_title = f'gld_mm {version}'
html_extra_path = ['_static/index.html']  # the site opens at docs/index.html


def unlink_folders(app: Sphinx, doctree: nodes.document) -> None:
    """Replace links to folders, which the site lacks, by their text."""
    for link in list(doctree.findall(pending_xref)):
        target = Path(app.env.doc2path(app.env.docname)).parent
        if (target / link['reftarget']).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    app.connect('doctree-read', unlink_folders)
