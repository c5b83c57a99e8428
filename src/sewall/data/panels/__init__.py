"""Panels of genotypes: read from any file, kinds of chromosomes and sexes settled, brought to the sites of a model."""
