"""What turns prompts into text: vLLM, the simulated engine, OpenAI-compatible endpoints."""
