"""The classical genomic predictors: what a network must beat on the same individuals to be worth its cost."""
