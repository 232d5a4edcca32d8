"""Catalogues and usage as people write them, in files: read with line and sentence, written, published, tried out."""
