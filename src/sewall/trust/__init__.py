"""Trust: calibration, support, comparison with simple models, and diagnostics; written for all jobs."""
