"""All that knows git, DVC or MLflow: gate, report, model card, reproductions, runs."""
