# The student, its data and schedule
_base_ = '../../baseline/r18_in1k.py'

import mmengine  # noqa: E402

model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=mmengine.Config.fromfile(
        '{{ fileDirname }}/../../baseline/r34_in1k.py').model,
    teacher_ckpt=  # noqa: E251
    'https://download.openmmlab.com/mmclassification/v0/resnet/resnet34_8xb32_in1k_20210831-f257d4e6.pth',  # noqa: E501
    teacher_config='configs/baseline/r34_in1k.py')
