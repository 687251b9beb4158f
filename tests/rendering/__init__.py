"""Tests of darkroom/rendering."""
