# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmpretrain.registry import MODELS

from gld_mm.models import FeatureWithClassifierRecorder

from ...conftest import classifier


def test_a_record_is_the_output_and_the_networks_own_classifier():
    model = MODELS.build(classifier())
    recorder = FeatureWithClassifierRecorder('backbone', classifier='head.fc')
    recorder.initialize(model)
    images = torch.randn(2, 3, 16, 16)
    with recorder:
        logits = model(images)
    (feature, fc) = recorder.get_record_data()
    assert fc is model.head.fc
    torch.testing.assert_close(fc(feature[-1].mean((2, 3))), logits)


def test_nothing_is_recorded_outside_the_context():
    model = MODELS.build(classifier())
    recorder = FeatureWithClassifierRecorder('backbone', classifier='head.fc')
    recorder.initialize(model)
    model(torch.randn(2, 3, 16, 16))
    assert recorder.data_buffer == []


@pytest.mark.parametrize('source, fc, wrong',
                         [('trunk', 'head.fc', 'trunk'),
                          ('backbone', 'head.cls', 'head.cls')])
def test_a_wrong_name_is_an_error_that_lists_the_modules(source, fc, wrong):
    recorder = FeatureWithClassifierRecorder(source, classifier=fc)
    with pytest.raises(ValueError, match=f'no module "{wrong}".*head.fc'):
        recorder.initialize(MODELS.build(classifier()))
