"""What every process needs: settings, server life, streams of batches, status, telemetry."""
