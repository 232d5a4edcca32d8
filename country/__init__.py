"""The sample country: its domains, number plan and people, and a day of their traffic. Real shapes, invented people."""
