"""What jobs share that look at windows of a genome and learn from simulations of such windows."""
