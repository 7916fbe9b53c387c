_base_ = './resnet20_cifar.py'

# Stages on maps of 16, 8 and 4 pixels, a quarter of the cost
model = dict(backbone=dict(depth=14, strides=(2, 2, 2)))
