"""Missing data: who is dropped, whether dropout goes with earlier outcomes, imputation, pooling."""
