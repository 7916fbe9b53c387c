# WRN-16-1 for 32x32 images, Zagoruyko and Komodakis 2016
_base_ = './resnet20_cifar.py'  # neck, head

model = dict(
    backbone=dict(_delete_=True, type='CifarWideResNet', depth=16, width=1))
