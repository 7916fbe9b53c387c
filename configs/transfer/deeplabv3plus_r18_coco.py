# Table 6, student, but for the head: a ResNet-18 trained on ImageNet alone
_base_ = '../baseline/deeplabv3plus_r18_coco.py'
