"""A sample plant: four switches of different make behind an SFTP server, to see the line work without a network."""
