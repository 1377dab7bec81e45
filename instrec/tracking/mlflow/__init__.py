"""MLflow: runs, the registry, and a model it can serve."""
