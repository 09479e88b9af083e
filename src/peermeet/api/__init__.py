"""Plain HTTP: does this link work, is the server well, the pages; and the admin's desk."""
