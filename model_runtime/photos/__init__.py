"""Photos from the bytes of their files to what the network takes."""
