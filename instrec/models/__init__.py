"""Models: architectures, heads, the saved classifier, the released model."""
