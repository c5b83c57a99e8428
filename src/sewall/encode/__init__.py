"""What the models read: alleles, haplotypes and sequences as numbers."""
