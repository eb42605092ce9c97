"""Where the money goes: shares, budgets, forecasts, what has no price, prices put right."""
