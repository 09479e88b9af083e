"""Plain HTTP: does this link work, is the server well, and the pages."""
