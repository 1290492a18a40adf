"""What a benchmark is and how it runs as a Ray Job."""
