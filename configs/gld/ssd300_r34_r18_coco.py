# GLD inside the detector, which the paper does not do (docs/faithful.md)
_base_ = '../baseline/ssd300_r18_coco.py'  # student, data, schedule

model = dict(
    _delete_=True,
    type='mmrazor.GLDDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(type='ResNet', depth=34, out_indices=(1, 2, 3))),
    teacher_ckpt='work_dirs/teachers/ssd300_r34_coco/epoch_250.pth',
    teacher_config='configs/teachers/ssd300_r34_coco.py',
    distiller=dict(
        type='mmrazor.DenseGLDDistiller', cls_out_channels=81, gather=True))

# Log the teacher's mAP before training.
default_hooks = dict(teacher_val=dict(type='mmrazor.TeacherValHook'))
