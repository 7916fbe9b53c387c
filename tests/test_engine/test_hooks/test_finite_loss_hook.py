# Copyright (c) gld_mm authors. All rights reserved.
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmrazor.registry import MODELS

from gld_mm.engine.hooks import FiniteLossHook
from gld_mm.errors import UserError

from ...conftest import distillation


def look(model=None, **outputs):
    runner = SimpleNamespace(iter=41, epoch=2, model=model)
    FiniteLossHook().after_train_iter(runner, 0, outputs=outputs)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_it_names_the_step_and_the_term(value):
    with pytest.raises(UserError) as error:
        look(loss=torch.tensor(value), loss_a=1., loss_b=torch.tensor(value))
    message = str(error.value)
    assert message.startswith(f'Step 42, epoch 3: loss is {value}, '
                              f'loss_b is {value}. ')
    assert 'loss_a' not in message and '\n' not in message


def test_finite_losses_and_other_values_pass():
    look(loss=torch.tensor(1.), accuracy=float('nan'))
    look()


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_it_names_the_range_of_the_logits(mmpretrain_scope, batch):
    torch.manual_seed(0)
    model = MODELS.build(distillation())
    model.loss(*batch)  # The first looks for the feature maps.
    with torch.no_grad():
        model.head.fc.bias[0] = float('inf')
        model.teacher.head.fc.weight.zero_()
        model.teacher.head.fc.bias.copy_(torch.arange(10.) - 3)
    losses = model.loss(*batch)
    total, outputs = model.parse_losses(losses)
    assert not total.isfinite()
    # The hook comes after the step, which spoils all weights.
    OptimWrapper(torch.optim.SGD(model.parameters(), .1)).update_params(total)
    assert not model.head.fc.weight.isfinite().any()
    with pytest.raises(UserError) as error:
        look(model, **outputs)
    message = str(error.value)
    assert 'distill.loss_relation is' in message
    # 8 images with 1 + 4 logits of 10 classes, one of them infinite.
    assert '40 of 400 logits of the student are not finite' in message
    assert ('0 of 400 logits of the teacher are not finite, the others in '
            '[-3, 6]') in message


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_a_distillation_that_stopped_has_no_logits_to_describe(
        mmpretrain_scope, batch):
    model = MODELS.build(distillation())
    model.loss(*batch)
    model.distillation_stopped = True
    with pytest.raises(UserError) as error:
        look(model, loss=torch.tensor(float('nan')))
    assert 'logits' not in str(error.value)
