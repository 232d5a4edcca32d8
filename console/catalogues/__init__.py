"""Commands around catalogues: check, compare, publish, fetch, rate a file by them."""
