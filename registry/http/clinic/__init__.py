"""What booking systems integrate with: questions by the thousand, rosters, and the feed of changes."""
