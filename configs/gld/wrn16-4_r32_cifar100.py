# GLD, table 1, setup (d)
_base_ = '../baseline/r32_cifar100.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        type='ImageClassifier',
        backbone=dict(type='CifarWideResNet', depth=16, width=4),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=256)),
    teacher_ckpt='work_dirs/teachers/wrn16-4_cifar100/epoch_200.pth',
    teacher_config='configs/teachers/wrn16-4_cifar100.py',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))

# Log the teacher's accuracy before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
