"""The rules of a circle. Standard library only; no clock, randomness, input or output."""
