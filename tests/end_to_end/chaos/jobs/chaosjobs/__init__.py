"""Jobs for chaos tests: they leave a mark in the effect log, and misbehave as they are told."""
