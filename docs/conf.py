# Copyright (c) gld_mm authors. All rights reserved.
"""The site of the documentation: `make docs`.

The source folder is the repository, not docs/: a relative link to README.md, a
page, a config or a module is then the same on the forge and in the site, where
a file that is no page is a download.
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
include_patterns = ['*.md', 'docs/*.md', 'docs/api.rst', 'configs/*/README.md']
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
    """A folder of the repository is a link on the forge, here its name."""
    for link in list(doctree.findall(pending_xref)):
        target = Path(app.env.doc2path(app.env.docname)).parent
        if (target / link['reftarget']).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    app.connect('doctree-read', unlink_folders)
