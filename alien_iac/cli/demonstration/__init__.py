"""The parts of `alien demo`: a database, a vendor and three customers, the story, and what must be seen of it."""
