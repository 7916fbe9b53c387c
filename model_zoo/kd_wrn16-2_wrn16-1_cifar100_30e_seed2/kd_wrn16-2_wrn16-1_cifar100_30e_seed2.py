_base_ = '../kd_wrn16-2_wrn16-1_cifar100_30e/kd_wrn16-2_wrn16-1_cifar100_30e.py'

randomness = dict(seed=2)
