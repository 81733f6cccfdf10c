"""What is outside of Big Mouth: AWS (moto's server), the payment provider, the mail server. Standard library and moto."""
