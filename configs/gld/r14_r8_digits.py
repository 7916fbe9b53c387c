_base_ = '../baseline/r8_digits.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        type='ImageClassifier',
        backbone=dict(type='CifarResNet', depth=14, strides=(2, 2, 2)),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=64)),
    teacher_ckpt='work_dirs/teachers/r14_digits/epoch_20.pth',
    teacher_config='configs/teachers/r14_digits.py',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))

# Log the teacher's accuracy before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
