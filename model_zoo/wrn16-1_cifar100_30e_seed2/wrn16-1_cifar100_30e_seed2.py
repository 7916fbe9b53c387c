_base_ = '../wrn16-1_cifar100_30e/wrn16-1_cifar100_30e.py'

randomness = dict(seed=2)
