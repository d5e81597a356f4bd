"""From a plan index to a finished answer: plan, prompts, sandboxed templates, reasoning traces."""
