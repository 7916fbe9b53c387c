# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.registry import init_default_scope
from mmpretrain.models import ClsDataPreprocessor
from mmrazor.registry import MODELS

from ..conftest import classifier


def test_a_classifier_builds_its_preprocessor_in_the_scope_of_mmrazor():
    init_default_scope('mmrazor')
    model = MODELS.build(classifier())
    assert isinstance(model.data_preprocessor, ClsDataPreprocessor)


def test_it_would_not_without_the_repair(monkeypatch):
    monkeypatch.delitem(MODELS._module_dict, 'ClsDataPreprocessor')
    init_default_scope('mmrazor')
    with pytest.raises(Exception, match='ClsDataPreprocessor'):
        MODELS.build(classifier())
