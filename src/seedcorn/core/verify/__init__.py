"""The promises, proved again by other means than those that kept them."""
