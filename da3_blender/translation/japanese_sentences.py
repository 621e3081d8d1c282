"""What happens and goes wrong, in Japanese."""

SENTENCES: dict[str, str] = {}
