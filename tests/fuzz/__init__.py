"""Seeded mutations of every format that the product reads: each is read right, or refused with a UserError.

    pytest tests/fuzz                                      # a thousand cases, shared by the formats
    pytest tests/fuzz --fuzz-cases 5000                    # more
    pytest tests/fuzz --fuzz-format audio --fuzz-case 123  # one alone

A format is added as one entry of `formats.FORMATS`.
"""
