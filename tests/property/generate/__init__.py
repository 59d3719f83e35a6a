"""Random traces from a seed, encoded with Perfetto's official schema (PyPI `perfetto`)."""
