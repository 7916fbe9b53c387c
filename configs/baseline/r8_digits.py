_base_ = './r14_digits.py'

# Half the layers and a quarter of the channels of the teacher
model = dict(
    backbone=dict(depth=8, base_channels=4), head=dict(in_channels=16))
