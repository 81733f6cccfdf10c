"""Users of Big Mouth, and what can be made to go wrong for them."""
