# 100 epochs, .1 divided by 10 at 30, 60 and 90, weight decay 1e-4, 256 images
# in total (8 GPUs x 32): the settings of CRD, and mmpretrain's own.
_base_ = 'mmpretrain::_base_/schedules/imagenet_bs256.py'

optim_wrapper = dict(type='OptimWrapper')  # what --amp replaces
