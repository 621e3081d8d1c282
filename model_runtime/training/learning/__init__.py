"""What is learnt, from which labels, and by which losses; trainers, and the checkpoint that comes of them."""
