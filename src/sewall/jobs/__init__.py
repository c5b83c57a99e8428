"""The jobs: each one question asked of DNA variation."""
