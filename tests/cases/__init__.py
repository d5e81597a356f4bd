"""Inputs from other tools' bug trackers and from a first use, each with its right value.

One file a row, `test_row_NN_subject.py`; the first line of its docstring says what is tried. Each
holds the case and at least three neighbours, in this project's own words and data.
"""
