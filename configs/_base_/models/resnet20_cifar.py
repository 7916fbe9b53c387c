# ResNet-20 for 32x32 images, He et al. 2016, section 4.2
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarResNet', depth=20),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=64,
        # torch's own init of a linear layer, not mmpretrain's. GLD
        # divides logits by their deviation, so its first gradient would be
        # many times larger with mmpretrain's 0.01 (docs/faithful.md).
        init_cfg=None,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))
