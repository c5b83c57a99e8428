"""Networks: bodies that embed a batch, and heads that stand on them."""
