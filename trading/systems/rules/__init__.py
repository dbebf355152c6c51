"""Trading rules: pure functions from prices to raw forecasts."""
