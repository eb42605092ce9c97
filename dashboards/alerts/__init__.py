"""Rules on figures, what they hold and when they tell, and the ways to tell."""
