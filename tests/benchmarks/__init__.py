"""Tests of the arithmetic of the benchmarks, and of what they say to wrong use. Nothing is measured here."""
