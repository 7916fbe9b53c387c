# The student, its data and schedule
_base_ = '../../baseline/wrn16-1_cifar100.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/wrn16-2_cifar100.py').model,
    teacher_ckpt='work_dirs/wrn16-2_cifar100/epoch_200.pth',
    teacher_config='configs/baseline/wrn16-2_cifar100.py')
