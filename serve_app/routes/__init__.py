"""One router per noun. Routes translate HTTP; the deciding is done in ``jobs``."""
