"""The data and its splits: index, datasets, balance, manifest, frozen test sets."""
