"""Values and facts that every other folder uses; knows none of them."""
