"""What operators and the console may ask of the directory: who may amend it, and what an amendment must satisfy."""
