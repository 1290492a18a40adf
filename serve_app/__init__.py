"""HTTP only: the FastAPI application on Ray Serve, and the command line beside it."""
