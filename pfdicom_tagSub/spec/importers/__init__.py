"""Rules of other tools, translated to a spec."""
