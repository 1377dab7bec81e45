"""The stages of dvc.yaml: thin scripts without logic."""
