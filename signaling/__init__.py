"""The languages clients speak, one subpackage per dialect. Each turns frames into typed requests and results and events into frames."""
