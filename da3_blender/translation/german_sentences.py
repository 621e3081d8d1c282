"""What happens and goes wrong, in German."""

SENTENCES: dict[str, str] = {}
