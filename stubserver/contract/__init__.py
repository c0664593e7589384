"""The contract: partial documents are merged into one, which says what each operation accepts and returns."""
