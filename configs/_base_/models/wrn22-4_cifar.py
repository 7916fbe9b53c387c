_base_ = './wrn16-1_cifar.py'

model = dict(backbone=dict(depth=22, width=4), head=dict(in_channels=256))
