"""The way to the data center and the form in which questions travel there."""
