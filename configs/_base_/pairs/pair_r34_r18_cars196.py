# The student, its data and schedule
_base_ = '../../baseline/r18_cars196.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/r34_cars196.py').model,
    teacher_ckpt='work_dirs/r34_cars196/epoch_200.pth',
    teacher_config='configs/baseline/r34_cars196.py')
# teacher_ckpt has every weight, so none is downloaded.
model['teacher'].backbone.init_cfg = None
