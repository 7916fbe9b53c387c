# Table 6, GLD, but for the head: the ResNet-18 that gld/r34_r18_in1k.py
# distils on ImageNet
_base_ = '../baseline/deeplabv3plus_r18_voc12aug.py'

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='work_dirs/r34_r18_in1k/epoch_100.pth')))
