"""Published systems, run on the same clips and compared with their papers."""
