"""The stages of dvc.yaml: thin scripts without logic.

Slow imports are in `main`, where Ctrl-C is reported in one line; worker processes also load these scripts.
"""
