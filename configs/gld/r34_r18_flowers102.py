# GLD, supplementary 3.1, Flowers102
_base_ = '../baseline/r18_flowers102.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', depth=34),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=102, in_channels=512)),
    teacher_ckpt='work_dirs/teachers/r34_flowers102/epoch_200.pth',
    teacher_config='configs/teachers/r34_flowers102.py',
    distiller=dict(type='mmrazor.GLDDistiller', alpha=0.7, beta=500, grid=2))

# Log the teacher's accuracy before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
