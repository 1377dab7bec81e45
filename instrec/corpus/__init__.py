"""What there is to learn from and how it is divided: index, datasets, balance, manifest, frozen test sets."""
