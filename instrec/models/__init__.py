"""What a model is made of: architectures, heads, the saved classifier, the released model."""
