_base_ = './resnet20_cifar.py'

model = dict(backbone=dict(depth=14), head=dict(num_classes=10))
