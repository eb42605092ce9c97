"""What the guards found, how often they were right, and what they cost."""
