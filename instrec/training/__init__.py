"""Train a model: batches, the fit, warm starts, averaging, calibration, new clips during training."""
