# Table 6, teacher
_base_ = '../teachers/deeplabv3plus-plain_r34_voc12aug.py'
