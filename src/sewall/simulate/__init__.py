"""Simulation of samples: histories, the coalescent, the defects of real data, and the farm that runs it all."""
