"""Types that every layer speaks."""
