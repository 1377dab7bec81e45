"""Measure a model: metrics, protocols, test sets, folders of recordings, and tables for plots."""
