# Copyright (c) gld_mm authors. All rights reserved.
import pickle
import sys

import pytest

from gld_mm.errors import UserError, install_excepthook


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch):
    """Without the hook that torch.distributed adds to name the process."""
    monkeypatch.setattr(sys, 'excepthook', sys.__excepthook__)
    install_excepthook()


def shown(capsys, error):
    """What a tool prints that ends with an error."""
    try:
        raise error
    except Exception:
        sys.excepthook(*sys.exc_info())
    return capsys.readouterr().err


def test_a_user_error_is_one_line_without_a_traceback(capsys):
    assert shown(capsys, UserError('a\n  b')) == 'a b\n'


def test_every_other_error_keeps_its_traceback(capsys):
    text = shown(capsys, KeyError('a'))
    assert text.startswith('Traceback') and text.endswith("KeyError: 'a'\n")


def test_a_user_error_survives_the_way_from_a_worker():
    assert str(pickle.loads(pickle.dumps(UserError('a  b')))) == 'a b'


def test_the_hook_is_installed_once_and_keeps_the_one_before(
        capsys, monkeypatch):
    monkeypatch.setattr(sys, 'excepthook', lambda *args: print('theirs'))
    install_excepthook()
    installed = sys.excepthook
    install_excepthook()
    assert sys.excepthook is installed
    assert shown(capsys, UserError('a')) == 'a\n'
    sys.excepthook(KeyError, KeyError(), None)
    assert capsys.readouterr().out == 'theirs\n'


def test_a_long_line_is_cut_off():
    assert str(UserError('a' * 5000)) == 'a' * 1000 + ' ...'


@pytest.mark.parametrize('text', ['a' * 1000, ''])
def test_a_line_that_is_short_enough_stays_as_it_is(text):
    assert str(UserError(text)) == text
