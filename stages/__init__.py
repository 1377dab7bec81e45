"""The stages of dvc.yaml: thin scripts without logic.

What takes time to load is imported in `main`, where Ctrl-C is told in one line; worker processes load scripts as well.
"""
