"""From features to a model: batches, the fit, warm starts, averaging, thresholds, new clips on the way."""
