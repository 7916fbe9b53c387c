# A ResNet-34 that starts from OpenMMLab's ImageNet weights
_base_ = './resnet34.py'

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint=  # noqa: E251
            'https://download.openmmlab.com/mmclassification/v0/resnet/resnet34_8xb32_in1k_20210831-f257d4e6.pth',  # noqa: E501
            prefix='backbone.')))
