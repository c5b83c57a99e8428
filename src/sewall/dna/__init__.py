"""What is known of sequences without learning: composition, copies and kin, confounders; the models of the ladder."""
