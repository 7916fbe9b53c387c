# What DeepLabV3+ with a ResNet-18 at output stride 16 changes in mmseg's
# configs of DeepLabV3+.
_base_ = '../gld_runtime.py'

deeplabv3plus_r18 = dict(
    data_preprocessor=dict(size=(513, 513)),
    pretrained=None,
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        contract_dilation=True,
        norm_cfg=dict(type='BN'),
        init_cfg=dict(
            type='Pretrained',
            checkpoint=  # noqa: E251
            'https://download.openmmlab.com/mmclassification/v0/resnet/resnet18_8xb32_in1k_20210831-fbbb1da6.pth',  # noqa: E501
            prefix='backbone.')),
    decode_head=dict(
        in_channels=512,
        channels=256,
        dilations=(1, 6, 12, 18),
        c1_in_channels=64,
        num_classes=21,
        norm_cfg=dict(type='BN'),
        # torch's first weights: GLD divides logits by their deviation, and
        # those of mmseg, of 0.01, make its first gradients too large.
        init_cfg=None),
    auxiliary_head=None)
sync_bn = 'torch'  # on several GPUs

train513_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(
        type='RandomResize',
        scale=(2052, 513),
        ratio_range=(0.5, 2.0),
        keep_ratio=True),
    dict(type='RandomCrop', crop_size=(513, 513), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# How the code evaluates that we assume the paper builds on: the shorter side
# becomes 513 pixels, the square in the middle is the image, its mask is
# resized with it.
crop513_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(1e6, 513), keep_ratio=True),
    dict(type='CenterCrop', crop_size=(513, 513)),
    dict(
        type='KeyMapper',
        mapping=dict(ori_shape='img_shape'),
        auto_remap=False),
    dict(type='PackSegInputs'),
]

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'))
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.007, momentum=0.9, weight_decay=5e-4))
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=16)
