"""What is kept on disk, and for how long. The only room of SQLAlchemy."""
