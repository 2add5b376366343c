"""Speed as ratios: `python -m tests.bench` times logdoctor and named baselines on the same data, in turn."""
