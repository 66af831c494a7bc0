"""A strategy whose bars arrive one after another: features, forecasts, decisions, fills."""
