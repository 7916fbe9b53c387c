# Table 6, student: a ResNet-18 trained on ImageNet alone
_base_ = '../baseline/deeplabv3plus-plain_r18_coco.py'
