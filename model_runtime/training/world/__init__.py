"""What there is to photograph: solids, materials and patterns, and the scenes that are made of them."""
