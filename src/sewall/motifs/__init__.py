"""What networks and simple models have found in sequences: attributions, motifs made of them, and tests of both."""
