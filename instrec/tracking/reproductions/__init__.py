"""Published systems side by side: run here, on the same clips, and compared with what their papers say."""
