"""Usage rated anew: a cycle costs what one pass over it would; and what another tariff would have earned."""
