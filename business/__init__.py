"""What the business does besides charging: each room a pure state machine, whose states a slot holds as subjects."""
