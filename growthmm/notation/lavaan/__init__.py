"""lavaan: model syntax and calls, read and written."""
