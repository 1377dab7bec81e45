"""What a model is worth: metrics, protocols, test sets, folders of recordings, and what plots draw."""
