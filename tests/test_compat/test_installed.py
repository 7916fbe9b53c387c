# Copyright (c) gld_mm authors. All rights reserved.
import warnings

import pytest

from gld_mm.compat import installed


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Make packages look installed, and no others."""

    def install(*names):
        for name in names:
            info = tmp_path / f'{name.replace("-", "_")}-2.1.0.dist-info'
            info.mkdir()
            (info / 'METADATA').write_text(f'Name: {name}\nVersion: 2.1.0\n')
        monkeypatch.setattr('sys.path', [str(tmp_path)])
        monkeypatch.setattr(installed, 'find_spec', lambda name: True)

    return install


def test_no_mmcv_at_all_is_an_error_that_names_both(monkeypatch):
    monkeypatch.setattr(installed, 'find_spec', lambda name: None)
    with pytest.raises(
            ImportError, match='"mmcv-lite==2.1.0".*build mmcv 2.1.0'):
        installed.check()


@pytest.mark.parametrize(
    'names', [('mmcv', 'mmcv-lite'), ('mmengine', 'onedl-mmengine'),
              ('mmdet', 'onedl-mmdetection')],
    ids=' and '.join)
def test_two_packages_in_one_folder_give_a_warning(names, install):
    install(*names)
    with pytest.warns(UserWarning, match=' and '.join(names)):
        installed.check()


def test_mmcv_lite_beside_the_engine_of_onedl_gives_no_warning(install):
    install('mmcv-lite', 'onedl-mmengine', 'onedl-mmpretrain')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        installed.check()


def test_this_environment_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        installed.check()
