# What SSD300 with a ResNet-18 changes in mmdet's SSD300 configs. The paper has
# no description of its head. This one has stages 2 to 4 and three more levels,
# 38, 19, 10, 5, 3 and 1 positions wide, with mmdet's anchors.
_base_ = '../gld_runtime.py'

ssd300_r18 = dict(
    # ResNets need ImageNet's standard deviation as well.
    data_preprocessor=dict(std=[58.395, 57.12, 57.375]),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        out_indices=(1, 2, 3),
        init_cfg=dict(
            type='Pretrained',
            checkpoint=  # noqa: E251
            'https://download.openmmlab.com/mmclassification/v0/resnet/resnet18_8xb32_in1k_20210831-fbbb1da6.pth',  # noqa: E501
            prefix='backbone.')),
    neck=dict(
        in_channels=(128, 256, 512),
        out_channels=(128, 256, 512, 512, 256, 256),
        level_strides=(2, 1, 1),
        level_paddings=(1, 0, 0)),
    bbox_head=dict(in_channels=(128, 256, 512, 512, 256, 256)),
    test_cfg=dict(score_thr=0.01))

# Supplementary 3.2: 250 epochs, batch 32, warm-up to .001 over 2 epochs,
# divided by 10 at 150 and 200
ssd300_schedule = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=2,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, milestones=[150, 200], gamma=0.1),
]
ssd300_hooks = [dict(type='NumClassCheckHook'), *_base_.gld_custom_hooks]
