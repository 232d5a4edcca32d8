"""Usage in, charge with its explanation out: pure, exact, rounded once. Sessions are planned here on the platform."""
