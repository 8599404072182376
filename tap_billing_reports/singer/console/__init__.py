"""What a person sees while a sync runs and at its end."""
