"""All code that uses git, DVC or MLflow: gate, report, model card, reproductions, runs."""
