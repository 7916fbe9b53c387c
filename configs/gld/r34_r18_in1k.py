# GLD, table 3
_base_ = '../baseline/r18_in1k.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', depth=34),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=1000, in_channels=512)),
    teacher_ckpt=  # noqa: E251
    'https://download.openmmlab.com/mmclassification/v0/resnet/resnet34_8xb32_in1k_20210831-f257d4e6.pth',  # noqa: E501
    teacher_config='configs/teachers/r34_in1k.py',
    # Open in the paper: alpha and beta are those of CIFAR-100. With
    # gather=True relations are among the logits of all processes.
    distiller=dict(
        type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2, gather=True))

# Log the teacher's accuracy before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
