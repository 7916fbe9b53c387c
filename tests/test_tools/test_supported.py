# Copyright (c) gld_mm authors. All rights reserved.
from tools.docs.supported import main


def test_the_table_says_what_was_found_of_a_family(tmp_path, capsys):
    main(['lenet', '--out', str(tmp_path / 'supported.md')])
    text = (tmp_path / 'supported.md').read_text()
    assert 'config folders 1 have classifiers of one label' in text
    assert 'logits in 1 of these (teacher ✓)' in text
    assert ('| lenet | `LeNet5 → ClsHead` | `backbone.features.' in text
            and '| ✓ | ✓ |' in text)
