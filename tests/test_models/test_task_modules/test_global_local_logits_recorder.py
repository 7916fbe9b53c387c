# Copyright (c) gld_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmengine.model import BaseModel
from mmpretrain.registry import MODELS
from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from mmrazor.registry import TASK_UTILS
from torch import nn

from gld_mm.errors import UserError
from gld_mm.functional import global_local_logits
from gld_mm.models.task_modules.cells_in_batch import CellsInBatch

from ...conftest import classifier


class Network(BaseModel):
    """A convolution, and what a test gives it to go on with."""

    def __init__(self, tail, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=stride, padding=1)
        self.tail = tail

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.tail(self.conv(inputs))


class Lambda(nn.Module):
    """Layers, and code that calls them."""

    def __init__(self, code, **layers):
        super().__init__()
        self.code = code
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.code(self, x)


def recorded(model, images=None, **kwargs):
    """What is recorded of images, and what the network outputs."""
    recorder = TASK_UTILS.build(
        dict(type='GlobalLocalLogitsRecorder', **kwargs))
    recorder.initialize(model)
    with recorder:
        output = model(torch.randn(3, 3, 8, 8) if images is None else images)
    return recorder.get_record_data(), output


def quarters(x):
    """The cells of a 2x2 grid."""
    return [part for half in x.chunk(2, 2) for part in half.chunk(2, 3)]


@pytest.mark.parametrize(
    'names', [{},
              dict(feature='backbone'),
              dict(classifier='head.fc'),
              dict(feature='backbone.layer3', classifier='head.fc')])
def test_with_and_without_names_a_cnn_has_the_logits_of_the_paper(names):
    model = MODELS.build(classifier()).eval()
    images = torch.randn(2, 3, 20, 16)
    logits, output = recorded(model, images, **names)
    torch.testing.assert_close(logits[:, 0], output)
    torch.testing.assert_close(
        logits,
        global_local_logits(model.backbone(images)[-1], model.head.fc, (2, 2)))


@pytest.mark.parametrize('names', [{}, dict(classifier='head.fc')])
def test_the_grid_and_the_kernel_are_passed_on(names):
    model = MODELS.build(classifier()).eval()
    images = torch.randn(2, 3, 28, 20)  # a map of 7x5
    for kernel in (False, True):
        logits, _ = recorded(
            model, images, grid=(3, 2), fixed_kernel=kernel, **names)
        torch.testing.assert_close(
            logits,
            global_local_logits(
                model.backbone(images)[-1], model.head.fc, (3, 2), kernel))


def test_nothing_is_recorded_or_changed_outside_the_context():
    model = MODELS.build(classifier()).eval()
    images = torch.randn(2, 3, 16, 16)
    expected = model(images)
    recorder = TASK_UTILS.build(dict(type='GlobalLocalLogitsRecorder'))
    recorder.initialize(model)
    with recorder:
        assert model(images).equal(expected)
    logits = recorder.get_record_data()
    assert logits.shape == (2, 5, 10)
    assert len(model(images[:1] + 1)) == 1  # a batch of another size
    assert recorder.get_record_data() is logits


def test_a_pooling_module_gets_the_cells_themselves():
    pool = Lambda(lambda m, x: x.amax((2, 3)))
    fc = nn.Linear(6, 4)
    model = Network(nn.Sequential(pool, fc))
    images = torch.randn(3, 3, 8, 8)
    logits, _ = recorded(model, images)
    fmap = model.conv(images)
    expected = [fc(x.amax((2, 3))) for x in (fmap, *quarters(fmap))]
    torch.testing.assert_close(logits, torch.stack(expected, 1))


def test_layers_that_follow_pooling_by_code_are_those_of_the_cells():
    norm, fc = nn.LayerNorm(6), nn.Linear(6, 4)
    model = Network(
        Lambda(
            lambda m, x: m.fc(m.norm(x.mean((2, 3))).relu()), norm=norm,
            fc=fc))
    images = torch.randn(3, 3, 8, 8)
    logits, _ = recorded(model, images)
    fmap = model.conv(images)
    expected = [
        fc(norm(x.mean((2, 3))).relu()) for x in (fmap, *quarters(fmap))
    ]
    torch.testing.assert_close(logits, torch.stack(expected, 1))


@pytest.mark.parametrize('channels_last', [True, False])
@pytest.mark.parametrize('extra', [0, 1, 2])
def test_a_token_of_class_gives_way_to_the_mean_of_the_cell(
        extra, channels_last):

    def tokens(model, x):
        x = x.flatten(2).transpose(1, 2)
        # Of each image its own, so that a mix-up would show.
        x = model.norm(torch.cat([x[:, :extra] + 1, x], 1))
        return x if channels_last else x.transpose(1, 2)

    def classify(model, x):
        x = x if channels_last else x.transpose(1, 2)
        return model.fc(x[:, 0] if extra else x.mean(1))

    body = Lambda(tokens, norm=nn.LayerNorm(6))
    head = Lambda(classify, fc=nn.Linear(6, 4))
    model = Network(nn.Sequential(body, head))
    images = torch.randn(3, 3, 4, 6)
    logits, output = recorded(model, images)
    torch.testing.assert_close(logits[:, 0], output)
    patches = body.norm(model.conv(images).movedim(1, 3)).movedim(3, 1)
    expected = [head.fc(x.mean((2, 3))) for x in quarters(patches)]
    torch.testing.assert_close(logits[:, 1:], torch.stack(expected, 1))


def test_two_paths_to_two_classifiers_are_added():
    """As in Conformer: a map and tokens, of one module."""
    body = Lambda(lambda m, x: (x, x.flatten(2).transpose(1, 2)))
    heads = Lambda(
        lambda m, x: (m.a(m.pool(x[0]).flatten(1)), m.b(x[1].mean(1))),
        a=nn.Linear(6, 4),
        b=nn.Linear(6, 4),
        pool=nn.AdaptiveAvgPool2d(1))
    model = Network(nn.Sequential(body, heads))
    images = torch.randn(3, 3, 8, 8)
    logits, output = recorded(model, images)
    fmap = model.conv(images)
    expected = [
        heads.a(x.mean((2, 3))) + heads.b(x.mean((2, 3)))
        for x in (fmap, *quarters(fmap))
    ]
    torch.testing.assert_close(logits, torch.stack(expected, 1))
    torch.testing.assert_close(sum(output), expected[0])


def test_batch_norm_learns_from_the_images_alone():
    model = Network(
        Lambda(
            lambda m, x: m.fc(m.norm(x.mean((2, 3)))),
            norm=nn.BatchNorm1d(6),
            fc=nn.Linear(6, 4)))
    alone = copy.deepcopy(model)
    images = torch.randn(5, 3, 8, 8)
    logits, output = recorded(model.train(), images)
    torch.testing.assert_close(output, alone.train()(images))
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value)
    # The same affine map for cells as for images
    pooled = model.conv(images).mean((2, 3))
    scale = (pooled.var(0, correction=0) + 1e-5).rsqrt()
    cell = quarters(model.conv(images))[2].mean((2, 3))
    torch.testing.assert_close(logits[:, 3],
                               model.tail.fc((cell - pooled.mean(0)) * scale))


def test_a_norm_with_an_activation_has_it_for_cells_too():

    class NormAct(nn.BatchNorm1d):

        def forward(self, x):
            return super().forward(x).relu()

    model = Network(
        Lambda(
            lambda m, x: m.fc(m.norm(x.mean((2, 3)))),
            norm=NormAct(6),
            fc=nn.Linear(6, 4)))
    images = torch.randn(5, 3, 8, 8)
    logits, _ = recorded(model.train(), images)
    pooled = model.conv(images).mean((2, 3))
    scale = (pooled.var(0, correction=0) + 1e-5).rsqrt()
    cell = quarters(model.conv(images))[2].mean((2, 3))
    torch.testing.assert_close(
        logits[:, 3], model.tail.fc(((cell - pooled.mean(0)) * scale).relu()))


def test_layers_behind_the_map_that_are_computed_again_are_an_error():
    model = Network(
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)))
    model.tail[2].with_cp = True
    with pytest.raises(UserError, match='have with_cp=True: .*with_cp=False'):
        recorded(model)


def test_logits_that_are_not_finite_are_an_error_and_not_a_missing_map():
    model = Network(
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)))
    with pytest.raises(UserError, match='logits that are not finite'):
        recorded(model, torch.full((2, 3, 8, 8), float('nan')))


def test_a_named_classifier_with_batch_norm_is_an_error():
    cfg = dict(type='GlobalLocalLogitsRecorder', classifier='tail')
    model = Network(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4)))
    with pytest.raises(UserError, match='"tail" of the network has a batch '):
        TASK_UTILS.build(dict(cfg, feature='conv')).initialize(model)


def test_looking_for_the_map_leaves_no_trace():
    model = Network(
        nn.Sequential(
            nn.BatchNorm2d(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Dropout(0.5), nn.Linear(6, 4))).train()
    model.tail[0].eval()
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(0)
    CellsInBatch(model, (2, 2)).find(torch.randn(2, 3, 8, 8))
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    torch.randn(2, 3, 8, 8)
    assert state.equal(torch.random.get_rng_state())
    assert all(before[k].equal(v) for k, v in model.state_dict().items())
    assert model.training and not model.tail[0].training


@pytest.mark.parametrize('grid, stride, size', [(5, 2, '4x4'), (2, 8, '1x1')])
def test_a_grid_that_does_not_fit_is_an_error(grid, stride, size):
    model = Network(
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        stride)
    with pytest.raises(
            UserError,
            match=f'{grid}x{grid} does not fit a feature map of {size}'):
        recorded(model, grid=grid)


def test_nor_does_it_before_a_named_classifier():
    model = MODELS.build(classifier()).eval()
    with pytest.raises(UserError, match='5x5 does not fit .* 4x4 of the net'):
        recorded(model, torch.rand(2, 3, 16, 16), grid=5, classifier='head.fc')


def test_a_network_that_has_not_called_its_classifier_has_no_logits():
    recorder = TASK_UTILS.build(dict(type='GlobalLocalLogitsRecorder'))
    recorder.initialize(MODELS.build(classifier()))
    with pytest.raises(UserError, match='has not called .* its logits'):
        recorder.get_record_data()


def test_without_local_logits_the_global_ones_are_left_and_it_is_said(
        monkeypatch):
    lines = []
    monkeypatch.setattr(
        'gld_mm.models.task_modules.global_local_logits_recorder.print_log',
        lambda line, *args: lines.append(line))
    mix = Lambda(
        lambda m, x: m.fc(x.mean((2, 3))) + len(x), fc=nn.Linear(6, 4))
    logits, output = recorded(Network(mix), network='teacher')
    assert logits.shape == (3, 1, 4)
    assert logits[:, 0].equal(output)
    line, = lines
    assert line.startswith('GLD finds no local logits of the teacher: ')


def tail():
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))


def test_a_stage_around_the_map_may_be_computed_again():
    body = nn.Sequential(
        nn.Conv2d(6, 6, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    body.with_cp = True
    logits, output = recorded(Network(nn.Sequential(body, nn.Linear(6, 4))))
    assert logits.shape == (3, 5, 4)
    torch.testing.assert_close(logits[:, 0], output)


class Doubled(Network):
    """Its output is of no module."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return 2 * super().forward(inputs)


def test_a_network_whose_output_no_module_has_is_one_line():
    with pytest.raises(UserError, match='a Doubled, has no module whose out'):
        recorded(Doubled(tail()))


def test_images_that_become_too_small_later_are_one_line():
    model = Network(tail(), stride=4)
    recorder = TASK_UTILS.build(dict(type='GlobalLocalLogitsRecorder'))
    recorder.initialize(model)
    with recorder:
        model(torch.randn(3, 3, 8, 8))
    with recorder, pytest.raises(
            UserError, match='2x2 does not fit .* of 1x1'):
        model(torch.randn(3, 3, 4, 4))


def test_a_cell_needs_no_gradient_of_another():
    model = MODELS.build(classifier()).eval()
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    logits, _ = recorded(model, images)
    logits[0, 4].sum().backward()
    assert images.grad[0].any() and not images.grad[1].any()


@pytest.mark.parametrize('names, wrong', [
    (dict(feature='trunk'), 'trunk'),
    (dict(classifier='head.cls'), 'head.cls'),
])
def test_a_wrong_name_is_an_error_that_lists_the_modules(names, wrong):
    with pytest.raises(UserError, match=f'no module "{wrong}".*head.fc'):
        recorded(MODELS.build(classifier()), **names)


@pytest.mark.parametrize('names, message', [
    (dict(classifier='head'),
     r'"head" of the student makes a tensor \(10,\) of pooled features '
     r'\(10, 16\); it should make logits \(10, K\)'),
    (dict(classifier='backbone.conv1'),
     r'"backbone.conv1" of the student does not take pooled features'),
    (dict(feature='neck', classifier='head.fc'),
     r'"neck" of the student outputs a tuple of a tensor \(2, 16\); it '
     r'should be a feature map \(B, C, H, W\)'),
    (dict(feature='neck'), r'"neck" of the student outputs a tuple of a '
     r'tensor \(2, 16\); it should be a feature map'),
    (dict(feature='head.loss_module', classifier='head.fc'),
     '"head.loss_module" of the student was not called'),
    (dict(feature='head.loss_module'),
     '"head.loss_module" of the student was not called'),
    (dict(feature='backbone.layer3.0.conv1', classifier='head.fc'),
     '"head.fc" of the averages of "backbone.layer3.0.conv1", are not what '
     'the network outputs'),
])
def test_a_name_of_something_else_is_an_error_that_says_what_it_is(
        names, message):
    with pytest.raises(UserError, match=message):
        recorded(
            MODELS.build(classifier()),
            torch.randn(2, 3, 16, 16),
            network='student',
            **names)


def test_a_neck_that_the_names_leave_out_is_an_error():
    cfg = classifier()
    cfg['neck']['type'] = 'mmpretrain.GeneralizedMeanPooling'
    model = MODELS.build(cfg)
    with pytest.raises(UserError, match='are not what the network outputs'):
        recorded(model, torch.rand(2, 3, 16, 16), classifier='head.fc')
    logits, output = recorded(model.eval(), torch.rand(2, 3, 16, 16))
    torch.testing.assert_close(logits[:, 0], output)


def test_names_whose_logits_have_another_shape_are_one_line():
    cfg = classifier()
    cfg['head'] = dict(
        type='mmpretrain.StackedLinearClsHead',
        in_channels=cfg['head']['in_channels'],
        mid_channels=[12],
        num_classes=5)
    with pytest.raises(
            UserError, match=r'tensor \(2, 12\), a tensor \(2, 5\)'):
        recorded(
            MODELS.build(cfg),
            torch.rand(2, 3, 16, 16),
            classifier='head.layers.0.fc')


@pytest.mark.parametrize('grid', [0, (2, 0), (2, 2, 2), 1.5])
def test_a_grid_that_is_none_is_an_error(grid):
    with pytest.raises(UserError, match='at least 1, got [(12.0]'):
        TASK_UTILS.build(dict(type='GlobalLocalLogitsRecorder', grid=grid))


@pytest.mark.parametrize('names', [{}, dict(classifier='head.fc')])
def test_without_a_grid_the_logits_are_what_the_network_outputs(names):
    model = MODELS.build(classifier()).eval()
    logits, output = recorded(
        model, torch.rand(3, 3, 16, 16), grid=None, **names)
    torch.testing.assert_close(logits, output)


def test_a_recorder_of_mmrazor_beside_it_has_the_batch_alone():
    model = MODELS.build(classifier())
    ours = TASK_UTILS.build(dict(type='GlobalLocalLogitsRecorder', grid=None))
    other = ModuleOutputsRecorder('neck')
    ours.initialize(model)
    other.initialize(model)
    with ours, other:
        model(torch.rand(3, 3, 16, 16))
    assert [len(output[0]) for output in other.data_buffer] == [3]
