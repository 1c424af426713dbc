"""Plain data that an author, a check and a platform share: arguments, units, names, findings."""
