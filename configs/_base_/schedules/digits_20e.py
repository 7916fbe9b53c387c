# The CIFAR-100 recipe with its drops at the same parts of 20 epochs
_base_ = './cifar100_200e.py'

param_scheduler = dict(milestones=[10, 15])
train_cfg = dict(max_epochs=20)
