# The student, its data and schedule
_base_ = '../../baseline/r8_digits.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/r14_digits.py').model,
    teacher_ckpt='work_dirs/r14_digits/epoch_20.pth',
    teacher_config='configs/baseline/r14_digits.py')
