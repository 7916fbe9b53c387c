# Copyright (c) gld_mm authors. All rights reserved.
from urllib.error import HTTPError, URLError

import pytest

from gld_mm.utils import UserError, one_line_errors


def line_of(error, **settings):
    """What the user reads."""
    with pytest.raises(SystemExit) as stop, one_line_errors(
            'x.py cannot be trained', **settings):
        raise error
    return stop.value.code


def test_what_the_user_can_put_right_is_said_as_it_is():
    assert line_of(UserError('a\n  b')) == 'a b'


def test_other_errors_leave_their_traceback_in_the_work_dir(tmp_path):
    line = line_of(KeyError('a'), work_dir=str(tmp_path / 'run'))
    log = tmp_path / 'run' / 'error.log'
    assert line == f"x.py cannot be trained: KeyError: 'a' (traceback: {log})"
    assert log.read_text().startswith('Traceback')


def test_a_failed_download_says_where_files_go(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    line = line_of(URLError('no network'))
    assert line.startswith('x.py cannot be trained: a download failed (no ')
    assert f'weights into {tmp_path}/hub/checkpoints' in line


def test_an_address_that_is_not_there_is_named_by_the_server():
    error = HTTPError('http://x', 404, 'Not Found', {}, None)
    assert line_of(error).endswith('HTTPError: HTTP Error 404: Not Found')


def test_what_happens_later_keeps_its_traceback():
    with pytest.raises(KeyError), one_line_errors('x', until=lambda: True):
        raise KeyError('a')


def test_a_long_line_is_cut_off():
    assert line_of(UserError('a' * 5000)) == 'a' * 1000 + ' ...'
