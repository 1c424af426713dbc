"""The checks of a whole stack: models in, findings out, pure. One file a subject."""
