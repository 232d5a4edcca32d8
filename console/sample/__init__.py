"""The sample country of the demo: number plan, regions, population, a day of traffic. Real shapes, invented people."""
