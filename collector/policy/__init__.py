"""What a person does with a policy before it is in force and after, and how a changed one is noticed."""
