"""Readers: variants, samples, regions, masks and rate maps. Coordinates count from 0, half-open."""
