"""Money, prices, bounds, charges and periods."""
