_base_ = './deeplabv3plus_r18_voc12aug.py'

model = dict(
    backbone=dict(
        depth=34,
        init_cfg=dict(
            checkpoint=  # noqa: E251
            'https://download.openmmlab.com/mmclassification/v0/resnet/resnet34_8xb32_in1k_20210831-f257d4e6.pth'  # noqa: E501
        )))
