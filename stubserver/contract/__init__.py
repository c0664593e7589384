"""The contract: partial documents become one, and one says what each operation takes and answers."""
