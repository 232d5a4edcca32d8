"""Which slots this process owns: members, assignment, hand-over, the units they are served from, and their anchors."""
