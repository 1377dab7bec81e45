"""What there is to learn from and how it is divided: index, data sets, balance, manifest, frozen test sets."""
