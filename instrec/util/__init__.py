"""What any room may use and none owns: whole files, seeds, parallel work, HDF5, nested dicts, provenance, text."""
