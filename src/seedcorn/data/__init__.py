"""Files that ship with seedcorn: `package:NAME` in a recipe. The passages were written for it."""
