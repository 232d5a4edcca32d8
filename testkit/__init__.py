"""The test kit: owners, front ends and whole systems for tests and measurements. It is in no wheel."""
