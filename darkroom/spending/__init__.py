"""What a picture may cost, did cost, and who pays."""
