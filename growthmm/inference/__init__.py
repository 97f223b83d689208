"""Inference: results of fits, tables of estimates, information criteria, comparisons."""
